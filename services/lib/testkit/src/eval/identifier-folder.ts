import { makeXlsx } from '../../../../extractor/test/make-xlsx.ts'
import { csv, day, markdown, type Row, series } from './make-tables.ts'

/**
 * `there`: one row or sentence says it, `row` are the words that must stand together on one quoted line. `absent`: nothing is called so.
 * `silent`: the named thing is there, what is asked of it is not.
 */
export type IdentifierQuestion = { id: string; lang: 'zh' | 'en'; kind: 'there' | 'absent' | 'silent'; q: string; row: string[] }

type Ask = (name: string) => string

/** A folder of tables, lists, logs and prose full of identifiers, the same each time, and questions about them. */
export function identifierFolder(): { files: Record<string, string | Buffer>; questions: IdentifierQuestion[] } {
  const questions: IdentifierQuestion[] = []
  const add = (lang: 'zh' | 'en', kind: IdentifierQuestion['kind'], q: string, row: string[] = []) =>
    questions.push({ id: `${lang}-${kind}-${questions.length}`, lang, kind, q, row })
  /** asks of each row at `picks` what stands in its column, and the same of names that are nowhere */
  const askRows = (lang: 'zh' | 'en', rows: readonly Row[], column: number, asks: Ask[], picks: number[], absent: string[]) => {
    picks.forEach((pick, i) => {
      const row = rows[pick % rows.length]!
      add(lang, 'there', asks[i % asks.length]!(row[0]!), [row[0]!, row[column]!])
    })
    for (const [i, name] of absent.entries()) add(lang, 'absent', asks[i % asks.length]!(name))
  }

  const shelves = series(['KOALA', 'LYNX', 'OTTER'], 90, (n, pick) => [`${1 + (pick(40) % 40)}-${'ABCD'[n % 4]}`, pick(english)])
  askRows(
    'en',
    shelves,
    1,
    [(id) => `Where is ${id}?`, (id) => `Which shelf is ${id} on?`],
    [47, 130, 61, 200],
    ['KOALA-99', 'LYNX-56', 'BISON-12'],
  )
  askRows('zh', shelves, 1, [(id) => `${id} 在哪个货架？`, (id) => `${id} 放在哪里？`], [52, 141], ['KOALA-133', 'OTTER-49'])
  askRows('en', shelves, 2, [(id) => `Who keeps ${id}?`], [83, 166], ['KOALA-35'])
  add('en', 'silent', 'How heavy is KOALA-55?')
  add('en', 'silent', 'When was LYNX-20 delivered?')

  const parts = series(['BX-47', 'TR-90', 'QM-13'], 70, (n, pick) => [
    pick(['hex bolt', 'gasket', 'bearing', 'drive belt', 'relay', 'fuse holder']),
    String(pick(900)),
    `EUR ${pick(80)}.${10 + (n % 80)}`,
  ]).map(([id, ...rest]) => [`${id}-C`, ...rest])
  askRows(
    'en',
    parts,
    3,
    [(id) => `How much is ${id}?`, (id) => `What does part ${id} cost?`],
    [12, 77, 150, 31],
    ['BX-47-77-C', 'TR-90-500-C'],
  )
  askRows('zh', parts, 3, [(id) => `零件 ${id} 多少钱？`], [95, 160], ['QM-13-21-C'])
  askRows('en', parts, 2, [(id) => `How many of ${id} are in stock?`], [40, 111], ['BX-48-10-C'])

  const orders = series(['SO-2024-0', 'SO-2025-0'], 80, (n, pick) => [
    day(2024, pick(360)),
    pick(['Halder GmbH', 'Norden Oy', 'Kestrel Ltd', 'Amsel AG', 'Petrova and Co']),
    pick(['shipped', 'open', 'cancelled', 'on hold', 'returned']) + (n % 5 === 0 ? ', partly' : ''),
  ]).map(([id, ...rest]) => [id!.replace(/-(\d+)$/, (_, n: string) => n.padStart(3, '0')), ...rest])
  askRows(
    'en',
    orders,
    3,
    [(id) => `What is the status of order ${id}?`, (id) => `Was ${id} shipped?`],
    [20, 90, 121, 44],
    ['SO-2024-0119', 'SO-2023-0042'],
  )
  askRows('en', orders, 2, [(id) => `Which customer placed order ${id}?`], [66, 9], ['SO-2025-0777'])
  askRows('zh', orders, 3, [(id) => `订单 ${id} 是什么状态？`], [101, 35], ['SO-2024-0230'])

  const people = Array.from({ length: 150 }, (_, i) => [`Person${9900 + i}`, `${'ABC'[i % 3]}${100 + ((i * 37) % 290)}`, String(4100 + i)])
  askRows(
    'en',
    people,
    1,
    [(id) => `Which room does ${id} work in?`, (id) => `Where does ${id} sit?`],
    [99, 14],
    ['Person9200', 'Person999'],
  )
  askRows('en', people, 2, [(id) => `What is the extension of ${id}?`], [120, 57], ['Person10200'])

  const mails = Array.from({ length: 120 }, (_, i) => {
    const name = `${english[i % english.length]}.${surnames[(i * 5 + Math.floor(i / english.length)) % surnames.length]}`
    return [`${name}@${i % 2 ? 'amsel' : 'norden'}.example`, departments[(i * 7) % departments.length]!, `+44 20 7946 ${1000 + i * 13}`]
  })
  askRows('en', mails, 1, [(id) => `Which department does ${id} belong to?`], [31, 88], ['igor.blum@norden.example'])
  askRows('en', mails, 2, [(id) => `What is the phone number of ${id}?`], [64, 5], ['zoe.adler@kestrel.example'])
  askRows('zh', mails, 1, [(id) => `${id} 是哪个部门的？`], [47], ['wang.li@amsel.example'])

  const events = Array.from({ length: 140 }, (_, i) => [
    `req-${((i * 7919 + 40961) % 65536).toString(16).padStart(4, '0')}`,
    ['ERR_OOM', 'ERR_TIMEOUT', 'ERR_DISK_FULL', 'OK'][i % 4]!,
    `worker-${i % 23}`,
    String(90 + ((i * 53) % 4000)),
  ])
  askRows('en', events, 2, [(id) => `Which worker handled ${id}?`], [17, 102], ['req-zz19'])
  askRows('en', events, 1, [(id) => `How did request ${id} end?`], [40, 71], ['req-0000'])

  const releases = Array.from({ length: 36 }, (_, i) => [
    `v${2 + Math.floor(i / 18)}.${Math.floor(i / 6) % 3}.${i % 6}`,
    day(2023, i * 17 + 4),
    `${changes[i % changes.length]} ${['speeds up', 'repairs', 'replaces', 'limits'][i % 4]} ${things[(i * 5) % things.length]}`,
  ])
  askRows(
    'en',
    releases,
    1,
    [(id) => `When was ${id} released?`, (id) => `What is the release date of ${id}?`],
    [7, 22, 31],
    ['v2.3.1', 'v4.0.2', 'v3.1.9'],
  )
  askRows('en', releases, 2, [(id) => `What changed in ${id}?`], [3, 27], ['v1.9.0'])
  askRows('zh', releases, 1, [(id) => `${id} 是哪天发布的？`], [13, 34], ['v3.5.2'])

  const codes = [...'OOM QUOTA DNS TLS AUTH LOCK CLOCK PARSE SPLIT MERGE'.split(' ')].map((word, i) => [
    `ERR_${word}`,
    [
      'the process took more memory than it may; raise the limit or send smaller files',
      'the account has used up its gigabytes; delete old exports',
      'the name of the server could not be looked up; check the resolver',
      'the certificate has run out; renew it on the admin page',
      'the key was refused; make a new one in the console',
      'another writer holds the table; wait a minute and send it again',
      'both machines differ by more than five seconds; start the time service',
      'the body is no valid JSON; see the position in the message',
      'a shard is larger than four gigabytes; run the splitter at night',
      'two branches changed the same record; choose one of them by hand',
    ][i]!,
  ])
  askRows('en', codes, 1, [(id) => `What does ${id} mean?`, (id) => `What should I do about ${id}?`], [0, 5, 7], ['ERR_NAN', 'ERR_RANGE'])
  askRows('zh', codes, 1, [(id) => `${id} 是什么意思？`], [2, 9], ['ERR_PIPE'])
  add('en', 'there', 'Which standard describes problem details?', ['RFC-9457'])
  add('en', 'there', 'What is RFC-9457 about?', ['RFC-9457', 'problem details'])
  add('en', 'there', 'What is RFC 9110 about?', ['RFC-9110', 'semantics'])
  add('en', 'absent', 'What is RFC-9458 about?')
  add('zh', 'there', 'RFC-9457 讲的是什么？', ['RFC-9457', 'problem details'])
  add('zh', 'absent', 'RFC-6749 讲的是什么？')

  const bins = series(['PANDA', 'HX', 'CK'], 90, (n, pick) => [`${1 + pick(60)} 号货架`, pick(chinese) + (n % 3 ? '' : '、夜班')])
  askRows('zh', bins, 1, [(id) => `${id} 在哪个货架？`, (id) => `${id} 放在哪儿？`], [47, 130, 61, 200], ['PANDA-99', 'HX-49', 'CK-300'])
  askRows('zh', bins, 2, [(id) => `${id} 由谁保管？`], [83, 166], ['PANDA-35'])
  askRows('en', bins, 1, [(id) => `Where is ${id} kept?`], [22, 140], ['CK-63'])
  add('zh', 'silent', 'PANDA-55 有多重？')
  add('zh', 'silent', 'HX-20 是什么时候入库的？')

  const prices = series(['LM-A1-2', 'LM-B3-4'], 90, (n, pick) => [
    pick(['台灯', '吊灯', '筒灯', '射灯', '灯带', '开关']),
    `${pick(900)}.${n % 10} 元`,
    `${pick(500)} 件`,
  ]).map(([id, ...rest]) => [id!.replace(/-(\d+)$/, (_, n: string) => n.padStart(2, '0')), ...rest])
  askRows('zh', prices, 2, [(id) => `${id} 的单价是多少？`, (id) => `${id} 多少钱？`], [12, 77, 150, 31], ['LM-A1-249', 'LM-C7-401'])
  askRows('zh', prices, 3, [(id) => `${id} 还有多少库存？`], [40, 111], ['LM-B3-477'])
  askRows('en', prices, 2, [(id) => `What does ${id} cost?`], [66], ['LM-A1-2635'])

  const bills = Array.from({ length: 150 }, (_, i) => [
    `DD${day(2024, i * 2).replaceAll('-', '')}-${String(10 + ((i * 31) % 80)).padStart(4, '0')}`,
    `${['宏达', '新元', '瑞丰', '安泰', '金桥'][(i * 3) % 5]}公司`,
    ['已发货', '待付款', '已取消', '已签收', '退货中'][(i * 7) % 5]!,
    `${(i * 173) % 9000} 元`,
  ])
  askRows(
    'zh',
    bills,
    2,
    [(id) => `订单 ${id} 现在是什么状态？`, (id) => `${id} 发货了吗？`],
    [20, 90, 121],
    ['DD20240315-0999', 'DD20250101-0042'],
  )
  askRows('zh', bills, 1, [(id) => `${id} 是哪家公司下的单？`], [66, 9], ['DD20231212-0033'])

  const staff = Array.from({ length: 140 }, (_, i) => [
    `E${10200 + i}`,
    `${chinese[i % chinese.length]}`,
    `${3 + (i % 7)}0${i % 9} 室`,
    String(8100 + i),
  ])
  askRows('zh', staff, 2, [(id) => `工号 ${id} 在哪个房间？`], [33, 108], ['E10900'])
  askRows('zh', staff, 3, [(id) => `${id} 的分机是多少？`], [71, 12], ['E1020'])
  askRows('zh', staff, 1, [(id) => `工号 ${id} 是谁？`], [90], ['F10233'])

  const faults = [
    '水泵过热，停机十分钟后再启动',
    '门没有关紧，检查门磁',
    '电压过低，联系供电部门',
    '滤网堵塞，清洗后复位',
    '通信中断，检查网线',
    '油位不足，加注 46 号液压油',
    '温度传感器断线，更换探头',
    '急停被按下，旋转复位',
  ].map((text, i) => [`F-${203 + i * 3}`, text])
  askRows('zh', faults, 1, [(id) => `${id} 是什么故障？`, (id) => `显示 ${id} 怎么办？`], [0, 3, 5, 6], ['F-204', 'F-217', 'F-300'])

  const rounds = Array.from({ length: 130 }, (_, i) => [
    day(2025, i),
    `P-${101 + ((i * 7) % 60)}`,
    `0.${30 + ((i * 11) % 60)} MPa`,
    chinese[(i * 3) % chinese.length]!,
  ])
  askRows('zh', rounds, 3, [(id) => `${id} 是谁巡检的？`], [38, 97], ['2025-09-09'])
  askRows('zh', rounds, 2, [(id) => `${id} 巡检时压力是多少？`], [66, 21], ['2024-12-30'])

  const files = {
    'warehouse/shelves.md': `# Warehouse\n\nEverything that is stored, by shelf.\n\n${markdown(['Item', 'Shelf', 'Keeper'], shelves)}\n`,
    'parts.csv': csv(['Part', 'Description', 'In stock', 'Price'], parts),
    'orders.xlsx': makeXlsx([['Order', 'Date', 'Customer', 'Status'], ...orders], 'Orders'),
    'people.txt': people.map(([id, room, extension]) => `${id} works in room ${room}, extension ${extension}.`).join('\n'),
    'contacts.csv': csv(['E-mail', 'Department', 'Phone'], mails),
    'gateway.log': events
      .map(([id, code, worker, ms], i) => `${day(2025, i)}T08:31:${String(i % 60).padStart(2, '0')}Z ${code} ${id} ${worker} ${ms} ms`)
      .join('\n'),
    'releases.md': `# Release notes\n\n${releases.map(([id, date, text]) => `## ${id}\n\nReleased on ${date}. In ${id} ${text}.\n`).join('\n')}`,
    'errors.md': `# Error messages\n\n${codes.map(([id, text]) => `${id} means that ${text}.\n`).join('\n')}\nErrors follow RFC-9457, the standard for problem details. RFC-9110 is about the semantics of HTTP.\n`,
    '仓库/货架.md': `# 仓库货架\n\n所有物品的存放位置。\n\n${markdown(['货号', '位置', '保管人'], bins)}\n`,
    '价目表.csv': csv(['型号', '名称', '单价', '库存'], prices),
    '订单.csv': csv(['订单号', '客户', '状态', '金额'], bills),
    '通讯录.txt': staff.map(([id, name, room, extension]) => `工号 ${id} 的${name}在 ${room}，分机 ${extension}。`).join('\n'),
    '故障代码.md': `# 故障代码\n\n${faults.map(([id, text]) => `${id} 表示${text}。`).join('\n\n')}\n`,
    '巡检日志.txt': rounds.map(([date, pump, pressure, who]) => `${date} 巡检 ${pump}，压力 ${pressure}，正常，巡检人${who}。`).join('\n'),
  }
  return { files, questions }
}

const english = 'ann boris carla dmitri elena frank greta hugo ines jonas karla liam mona nils olga'.split(' ')
const surnames = 'adler blum cairo dunn ekman falk grant haas ibsen jung klein'.split(' ')
const departments = ['Sales', 'Repair', 'Finance', 'Purchasing', 'Legal', 'Field service']
const chinese = '张伟 王芳 李娜 刘洋 陈静 杨磊 赵敏 黄强 周涛 吴霞 徐鹏'.split(' ')
const changes = ['the importer', 'the scheduler', 'the mail bridge', 'the backup job', 'the login page', 'the report writer', 'the cache']
const things = ['loading large maps', 'the weekly export', 'sending attachments', 'the audit trail', 'pairing new devices']
