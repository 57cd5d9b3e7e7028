import { languageOf, scriptOf } from '@docent/core/text/language'
import type { Words } from '../store/personas.ts'

export type Tongue = 'zh' | 'zh-Hant' | 'en'

const phrases = {
  quoted: { zh: '文档中的原文：', 'zh-Hant': '文件中的原文：', en: 'Quoted from the documents:' },
  notFound: {
    zh: '文档中没有找到这个问题的答案。',
    'zh-Hant': '文件中沒有找到這個問題的答案。',
    en: 'The documents do not contain an answer to this question.',
  },
  noDocuments: {
    zh: '还没有可以检索的文档：请把文件放入文件夹，索引完成后再问。',
    'zh-Hant': '還沒有可以檢索的文件：請把檔案放入資料夾，索引完成後再問。',
    en: 'There are no documents to search yet: put files into the folder and ask again when they are indexed.',
  },
  noneHere: {
    zh: '可供这里检索的集合中还没有文档。',
    'zh-Hant': '可供這裡檢索的集合中還沒有文件。',
    en: 'The collections that are searched here hold no document yet.',
  },
  closest: { zh: '内容最接近的来源列在下面。', 'zh-Hant': '內容最接近的來源列在下面。', en: 'The closest sources are listed below.' },
  doubtful: {
    zh: '文档可能没有直接回答这个问题，最接近的原文是：',
    'zh-Hant': '文件可能沒有直接回答這個問題，最接近的原文是：',
    en: 'The documents may not answer this. What comes closest:',
  },
  readByOcr: {
    zh: '由图片经文字识别读出，数字与姓名请对照原件：',
    'zh-Hant': '由圖片經文字辨識讀出，數字與姓名請對照原件：',
    en: 'Read from a picture by OCR; compare figures and names with the original: ',
  },
  providerDown: {
    zh: '首选模型暂时没有回答，由备用模型作答。',
    'zh-Hant': '首選模型暫時沒有回答，由備用模型作答。',
    en: 'The first model did not answer; a fallback model did.',
  },
  modelDown: {
    zh: '模型暂时没有回答，以下直接引用文档。',
    'zh-Hant': '模型暫時沒有回答，以下直接引用文件。',
    en: 'The model did not answer; the documents are quoted instead.',
  },
  providerAtLimit: {
    zh: '首选模型已达到每分钟用量或并发的上限，由备用模型作答。',
    'zh-Hant': '首選模型已達到每分鐘用量或並行的上限，由備用模型作答。',
    en: 'The first model is at one of its limits; a fallback model answered.',
  },
  modelAtLimit: {
    zh: '模型已达到每分钟用量或并发的上限，以下直接引用文档。',
    'zh-Hant': '模型已達到每分鐘用量或並行的上限，以下直接引用文件。',
    en: 'The model is at one of its limits; the documents are quoted instead.',
  },
  searchDown: {
    zh: '文档检索暂时不可用，本回答没有参考文档。',
    'zh-Hant': '文件檢索暫時無法使用，本回答沒有參考文件。',
    en: 'Search in the documents is down; this answer was given without them.',
  },
  withoutSources: {
    zh: '（文档检索暂时不可用：以下内容出自模型自身，没有参考文档，也没有出处。）',
    'zh-Hant': '（文件檢索暫時無法使用：以下內容出自模型自身，沒有參考文件，也沒有出處。）',
    en: '(Search in the documents is down: what follows is the model’s own, and no document supports it.)',
  },
  overBudget: {
    zh: '模型预算的余额不够再作一次回答，以下直接引用文档。',
    'zh-Hant': '模型預算的餘額不夠再作一次回答，以下直接引用文件。',
    en: 'What is left of the budget of the model does not cover another answer; the documents are quoted instead.',
  },
  unknownSource: {
    zh: '模型标注了不存在的来源：',
    'zh-Hant': '模型標註了不存在的來源：',
    en: 'The model cited what stands for no source: ',
  },
  uncited: {
    zh: '这个回答没有一句标明来源，因此没有核对。',
    'zh-Hant': '這個回答沒有一句標明來源，因此沒有核對。',
    en: 'No sentence of this answer names one of its sources: nothing in it was checked.',
  },
  unsupported: {
    zh: '没有标明来源，其中的数字或编号在提供给模型的来源里也找不到，请自行核对：',
    'zh-Hant': '沒有標明來源，其中的數字或編號在提供給模型的來源裡也找不到，請自行核對：',
    en: 'This names no source, and its figures stand in none that the model was given; check it yourself: ',
  },
  length: {
    zh: '回答已达到长度上限，被截断。',
    'zh-Hant': '回答已達到長度上限，被截斷。',
    en: 'The answer reached its greatest length and is cut.',
  },
  filtered: {
    zh: '模型服务商的内容过滤在这里中断了回答，它不完整。',
    'zh-Hant': '模型服務商的內容過濾在這裡中斷了回答，它不完整。',
    en: 'The filter of the model’s provider ended the answer here; it is not complete.',
  },
  dayTokens: { zh: '今天的令牌预算', 'zh-Hant': '今天的權杖預算', en: "Today's token budget" },
  monthTokens: { zh: '本月的令牌预算', 'zh-Hant': '本月的權杖預算', en: "This month's token budget" },
  dayMoney: { zh: '今天的费用预算', 'zh-Hant': '今天的費用預算', en: "Today's budget of money" },
  monthMoney: { zh: '本月的费用预算', 'zh-Hant': '本月的費用預算', en: "This month's budget of money" },
  budgetNear: { zh: '已用去', 'zh-Hant': '已用去', en: 'is used to' },
} as const

/** Written in neither Chinese nor Latin letters: kana beside more than a の, or a third of the letters. */
export function isOtherScript(question: string): boolean {
  if (/[\p{sc=Hiragana}--の]/v.test(question)) return true
  const letters = question.match(/\p{L}/gu) ?? []
  return letters.filter((letter) => !/[\p{sc=Han}\p{sc=Latin}]/u.test(letter)).length * 3 > letters.length
}

/** The question decides the answer's language and script; in another script than ours it is what the asker's program `wanted`, or English. */
export function tongueOf(question: string, wanted: Tongue = 'en'): Tongue {
  if (isOtherScript(question)) return wanted
  if (languageOf(question) === 'en') return 'en'
  return scriptOf(question) === 'hant' ? 'zh-Hant' : 'zh'
}

/** An owner's words for who asks in this tongue; the Chinese ones serve both scripts. Undefined where there are none. */
export function wordsIn(words: Words | null, tongue: Tongue): string | undefined {
  if (words === null || typeof words === 'string') return words ?? undefined
  return tongue === 'en' ? words.en : words.zh
}

export function say(what: keyof typeof phrases, tongue: Tongue): string {
  return phrases[what][tongue]
}
