import { fold } from '@docent/core/text/fold'
import { expect, test } from 'vitest'
import { answersKind, mayAnswerKind } from './asked-kind.ts'

test.each([
  ['A1 多少钱？', '零售价: ¥899', '整机重量: 1.85 kg'],
  ['企業版一年多少錢', '价格为 9,800 元', '最多 500 台'],
  ['How much is the Arc A1?', 'Price: $129', 'Weight: 1.85 kg'],
  ['What does the repair cost?', 'a handling fee of EUR 25', 'within 25 days'],
  ['员工每年有多少天年假？', 'two paid days a year', '6,000 yuan per person per year'],
  ['年假有几天', '15 个工作日', '18 元'],
  ['How many vacation days do employees get?', '每年 15 天', '补贴 65 美元'],
  ['几个月后到期？', '24 个月', '24 台'],
  ['宿舍一个月多少钱？', '每月租金四百元', '宿舍在四楼'],
  ['Does the delivery cost anything?', 'Delivery is free above 60 euros', 'Delivery takes 60 days'],
  ['财务部的电话是多少？', '分机 2107', '2025 年成立'],
  ["What is Maren Holt's phone number?", 'extension 7070', 'at people@lumen.example'],
  ['周以宁的邮箱是什么？', 'zhou@lumen.example', '主持人：周以宁'],
  ['报销系统的网址是什么？', '请访问 https://fin.lumen.example', '在系统中提交出差申请'],
  ['How many rooms can one account have?', 'up to 64 lamps in at most 12 rooms', 'up to 64 lamps in the hall'],
  ['How many floors are there?', 'Floors: 14', 'The first floor is closed from 8 to 9.'],
  ['车库有多少个车位？', '地下车库有八十个车位', '两个出口'],
  ['会议室能坐几个人？', '可坐 12 位', '三楼会议室'],
  ['电梯几号检修？', '每月十五日检修', '三部电梯'],
  ['实验室最多放几升丙酮？', '上限 5 L', '2 个柜子'],
  // figures under a column that says what they are
  ['How much does the BX-300 cost?', 'SKU: BX-300; List price EUR: 248', 'SKU: BX-300; Lead time: 4 weeks'],
  ['成都到昆明一箱多少钱？', '线路: 成都—昆明；单价（元/箱）: 115', '线路: 成都—昆明；时效: 48 小时'],
  ['住酒店每晚最多多少钱？', '城市: 上海；总监（元/晚）: 700', '城市: 上海；楼层: 7'],
  ['压缩机库存还有多少台？', '名称: 压缩机；库存: 41；单位: 台', '名称: 压缩机；型号: 台式'],
  ['How many SP-0058 are in stock?', 'Part: SP-0058; Stock: 41; Shelf: 3', 'Part: SP-0058; Price EUR: 41'],
  // a noun, not a measure
  ['提前解约要付多少违约金？', '支付相当于三个月租金的违约金', '须书面通知'],
  ['罗建华的手机号是多少？', '手机 138-0013-7755', '分机: 8512'],
  ['罗建华的分机号是多少？', 'Extension: 8512', '温度 -90 至 +60 ℃，样机 20 台'],
])('%s: by “%s”, not by “%s”', (question, yes, no) => {
  const holds = answersKind(fold(question))!
  expect([holds(fold(yes)), holds(fold(no))]).toEqual([true, false])
})

test('what is counted cannot be looked for in the other language, but that sums, shares and dates are no count', () => {
  expect(answersKind('how many employees are there?')!('门诊年度限额 20,000 元，自付比例 10%，2026 年起')).toBe(false)
  expect(answersKind('how many visitors may i bring?')!('一名员工最多陪同三位访客')).toBeUndefined()
  expect(answersKind('可以带几位访客？')!('at most three visitors')).toBeUndefined()
})

test('where the form says nothing, any sentence may answer', () => {
  for (const question of [
    'How much does it weigh?',
    'How much memory do I need?',
    '显色指数是多少？',
    '谁是主持人？',
    'What is covered?',
    '价格表从哪天开始生效？',
    '产量排第几名？',
  ])
    expect(answersKind(fold(question))).toBeUndefined()
})

test.each([
  ['When is the library open?', 'It is open on Mondays.', 'Books may be borrowed freely.'],
  ['合同什么时候到期？', '合同于 2025-12-31 到期。', '合同由周敏保管。'],
  ['What colour is the cover?', 'The cover is graphite.', 'The cover is included.'],
  ['工服是什么颜色的？', '工服为深蓝。', '工服每人两套。'],
  ['How fast is the guest network?', 'It has 50 Mbit/s.', 'The guest network is called Meadow.'],
  ['水池多深？', '深 1.8 米', '水池在后院。'],
  ['How heavy is KOALA-55?', 'Item: KOALA-55; Weight: 12 kg', 'Item: KOALA-55; Shelf: 19-D'],
  ['What is the weight of the gateway?', 'Item: Weight; Value: 165 g', 'The range of the X-300 tool is 900 m.'],
  ['停电后能保温多久？', '断电保温时间: 30 小时', '控温范围: -20–8 ℃'],
  ['PANDA-55 有多重？', '货号: PANDA-55；重量: 3 公斤', '货号: PANDA-55；位置: 28 号货架'],
])('%s: maybe by “%s”, not by “%s”', (question, yes, no) => {
  const holds = mayAnswerKind(fold(question))!
  expect([holds(fold(yes)), holds(fold(no))]).toEqual([true, false])
})

test('what happens when something happens is no question for a time', () => {
  expect(mayAnswerKind('what happens when the light is red?')).toBeUndefined()
  expect(mayAnswerKind('需要注意哪几点？')).toBeUndefined()
})
