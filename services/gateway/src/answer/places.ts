import { fold } from '@docent/core/text/fold'

// provinces and cities of China, cities and countries that business is done with: what is said of one is no answer about another
const named = `北京 Beijing,上海 Shanghai,天津 Tianjin,重庆 Chongqing,广州 Guangzhou,深圳 Shenzhen,成都 Chengdu,杭州 Hangzhou,武汉 Wuhan,西安 Xi'an,南京 Nanjing,苏州 Suzhou,
郑州 Zhengzhou,长沙 Changsha,东莞 Dongguan,沈阳 Shenyang,青岛 Qingdao,合肥 Hefei,佛山 Foshan,宁波 Ningbo,昆明 Kunming,无锡 Wuxi,厦门 Xiamen,济南 Jinan,福州 Fuzhou,
大连 Dalian,哈尔滨 Harbin,长春 Changchun,石家庄 Shijiazhuang,南宁 Nanning,贵阳 Guiyang,南昌 Nanchang,太原 Taiyuan,兰州 Lanzhou,海口 Haikou,银川 Yinchuan,西宁 Xining,
拉萨 Lhasa,乌鲁木齐 Urumqi,呼和浩特 Hohhot,温州 Wenzhou,泉州 Quanzhou,珠海 Zhuhai,常州 Changzhou,烟台 Yantai,绍兴 Shaoxing,嘉兴 Jiaxing,台北 Taipei,高雄 Kaohsiung,
香港 Hong Kong,澳门 Macau,台湾 Taiwan,四川 Sichuan,广东 Guangdong,浙江 Zhejiang,江苏 Jiangsu,山东 Shandong,河南 Henan,河北 Hebei,湖南 Hunan,湖北 Hubei,福建 Fujian,
安徽 Anhui,江西 Jiangxi,辽宁 Liaoning,云南 Yunnan,贵州 Guizhou,陕西 Shaanxi,山西 Shanxi,广西 Guangxi,海南 Hainan,甘肃 Gansu,新疆 Xinjiang,西藏 Tibet,
东京 Tokyo,大阪 Osaka,首尔 Seoul,新加坡 Singapore,曼谷 Bangkok,吉隆坡 Kuala Lumpur,雅加达 Jakarta,河内 Hanoi,马尼拉 Manila,孟买 Mumbai,迪拜 Dubai,伦敦 London,
巴黎 Paris,柏林 Berlin,慕尼黑 Munich,法兰克福 Frankfurt,汉堡 Hamburg,苏黎世 Zurich,日内瓦 Geneva,维也纳 Vienna,布拉格 Prague,华沙 Warsaw,阿姆斯特丹 Amsterdam,
鹿特丹 Rotterdam,布鲁塞尔 Brussels,哥本哈根 Copenhagen,斯德哥尔摩 Stockholm,奥斯陆 Oslo,赫尔辛基 Helsinki,马德里 Madrid,巴塞罗那 Barcelona,里斯本 Lisbon,罗马 Rome,
米兰 Milan,雅典 Athens,伊斯坦布尔 Istanbul,莫斯科 Moscow,开罗 Cairo,内罗毕 Nairobi,悉尼 Sydney,墨尔本 Melbourne,纽约 New York,洛杉矶 Los Angeles,旧金山 San Francisco,
芝加哥 Chicago,波士顿 Boston,西雅图 Seattle,多伦多 Toronto,温哥华 Vancouver,墨西哥城 Mexico City,圣保罗 São Paulo,
日本 Japan,韩国 Korea,印度 India,越南 Vietnam,泰国 Thailand,马来西亚 Malaysia,印度尼西亚 Indonesia,菲律宾 Philippines,澳大利亚 Australia,新西兰 New Zealand,
德国 Germany,法国 France,英国 United Kingdom,意大利 Italy,西班牙 Spain,葡萄牙 Portugal,荷兰 Netherlands,比利时 Belgium,瑞士 Switzerland,奥地利 Austria,波兰 Poland,
瑞典 Sweden,挪威 Norway,丹麦 Denmark,芬兰 Finland,爱尔兰 Ireland,希腊 Greece,俄罗斯 Russia,土耳其 Turkey,以色列 Israel,埃及 Egypt,南非 South Africa,巴西 Brazil,
墨西哥 Mexico,加拿大 Canada,阿根廷 Argentina,智利 Chile`
/** Of each place how a folded text may name it, in both languages. */
export const places = named.split(',').map((pair) => {
  const [, han, latin] = /^\s*(\S+) (.+)$/su.exec(pair)!
  return [fold(han!), fold(latin!)].map((name) =>
    /^[a-z]/u.test(name) ? new RegExp(`(?<![a-z])${RegExp.escape(name)}(?![a-z])`, 'u') : new RegExp(name, 'u'),
  )
})
