/** What the golden files were made of, so that what comes out can be compared with what went in. */
export type GoldenSource = {
  title: string
  text: { heading: [number, string][]; paragraphs: string[]; list: string[]; table: string[][]; footnote: string; box: string }
  sheets: { name: string; rows: (string | number | { date: string } | { share: number })[][] }[]
  slides: { title: string; points: string[]; left?: string; right?: string; notes: string; table?: string[][] }[]
}

export const goldenSources: Record<'zh' | 'en', GoldenSource> = {
  zh: {
    title: '差旅管理办法',
    text: {
      heading: [
        [1, '总则'],
        [2, '住宿标准'],
      ],
      paragraphs: [
        '员工因公出差，应当提前三个工作日在系统中提出申请，经直属主管批准后方可出行。',
        '住宿费用按城市级别报销，超出部分由本人承担。',
      ],
      list: ['火车：二等座', '飞机：经济舱', '出租车：凭发票'],
      table: [
        ['城市', '上限（元）', '备注'],
        ['北京', '600', '含早餐'],
        ['成都', '450', '不含早餐'],
      ],
      footnote: '工作日不包括法定节假日。',
      box: '特别提示：发票抬头必须与公司名称一致。',
    },
    sheets: [
      {
        name: '销售明细',
        rows: [
          ['二〇二五年度销售明细表'],
          ['区域', '日期', '金额', '占比'],
          ['华东', { date: '2025-03-01' }, 1234567.5, { share: 0.256 }],
          ['华北', { date: '2025-04-15' }, 980000, { share: 0.204 }],
        ],
      },
      {
        name: '联系人',
        rows: [
          ['姓名', '电话'],
          ['王小明', '010-12345678'],
        ],
      },
    ],
    slides: [
      { title: '年度总结', points: ['收入增长百分之十二', '客户数量达到三千家'], notes: '讲到这里请停顿一下，等待提问。' },
      {
        title: '双栏对比',
        points: [],
        left: '左栏：旧系统响应慢，维护成本高。',
        right: '右栏：新系统响应快，维护成本低。',
        notes: '',
        table: [
          ['指标', '数值'],
          ['响应时间', '40 毫秒'],
        ],
      },
    ],
  },
  en: {
    title: 'Travel policy',
    text: {
      heading: [
        [1, 'General rules'],
        [2, 'Hotel limits'],
      ],
      paragraphs: [
        'Staff who travel on business file a request three working days before they leave; their manager approves it.',
        'Hotel costs are refunded by city class; what is above the limit is paid by the traveller.',
      ],
      list: ['Train: second class', 'Flight: economy class', 'Taxi: with a receipt'],
      table: [
        ['City', 'Limit (EUR)', 'Remark'],
        ['Berlin', '140', 'with breakfast'],
        ['Lyon', '110', 'without breakfast'],
      ],
      footnote: 'Public holidays are not working days.',
      box: 'Note well: the invoice must bear the name of the company.',
    },
    sheets: [
      {
        name: 'Sales',
        rows: [
          ['Sales of the year 2025'],
          ['Region', 'Date', 'Amount', 'Share'],
          ['East', { date: '2025-03-01' }, 1234567.5, { share: 0.256 }],
          ['North', { date: '2025-04-15' }, 980000, { share: 0.204 }],
        ],
      },
      {
        name: 'Contacts',
        rows: [
          ['Name', 'Phone'],
          ['Ann Miller', '+44 20 1234'],
        ],
      },
    ],
    slides: [
      {
        title: 'The year in review',
        points: ['Revenue grew by twelve per cent', 'Three thousand customers'],
        notes: 'Pause here and wait for questions.',
      },
      {
        title: 'Two columns',
        points: [],
        left: 'Left: the old system answers slowly.',
        right: 'Right: the new system answers fast.',
        notes: '',
        table: [
          ['Measure', 'Value'],
          ['Response time', '40 ms'],
        ],
      },
    ],
  },
}
