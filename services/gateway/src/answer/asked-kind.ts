type Kind = { asks: RegExp; holds: RegExp }

const number = '(?:\\d[\\d,.]*|[一二两三四五六七八九十百千半]+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)'
const amountOf = (han: string, latin: string): Kind => ({
  asks: new RegExp(`(?:几|多少)个?(?:${han})|how many (?:[a-z-]+ ){0,3}?(?:${latin})\\b`, 'u'),
  holds: new RegExp(`${number}\\s*(?:多|余)?个?(?:[a-z-]+ ){0,2}?(?:(?:工作)?(?:${han})|(?:${latin})\\b)`, 'u'),
})

/** What a question asks for by its form, and how a sentence that holds such a thing looks; both folded. */
const kinds: Kind[] = [
  {
    asks: /多少钱|多少元|价格|售价|零售价|报价|定价|批发价|经销价|费用是|how much (?:is|are|for)\b|\bcosts?\b|\bpriced?\b|\bprices\b/u,
    holds:
      /[¥￥$€£]\s?\d|\d[\d,.]*\s*(?:万|千|百)?(?:元|块|美元|欧元|yuan\b|usd\b|eur\b|cny\b|rmb\b|dollars?\b|euros?\b)|\b(?:eur|usd|cny|rmb)\s?\d/u,
  },
  amountOf('分钟', 'minutes'),
  amountOf('小时|钟头', 'hours'),
  amountOf('天|日', 'days?'),
  amountOf('周|星期', 'weeks?'),
  amountOf('月', 'months?'),
  amountOf('年', 'years?'),
]

/** Whether a text holds the kind of thing a question asks for; undefined where the question's form does not say. Both folded. */
export function answersKind(question: string): ((text: string) => boolean) | undefined {
  const asked = kinds.filter(({ asks }) => asks.test(question))
  return asked.length === 0 ? undefined : (text) => asked.some(({ holds }) => holds.test(text))
}
