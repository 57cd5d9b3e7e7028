import { sentencesOf } from '@docent/core/text/sentences'
import { markersOf } from './claims.ts'
import { squeeze } from './figures.ts'
import { say } from './phrases.ts'

const zh = new RegExp(
  [
    '(?:资料|来源|文档|文件|文本|原文|上下文|手册|資料|來源|文檔)[^，。；]{0,12}?(?:没有|未|并未|不含|无|沒有|並未|不包含)[^，。；]{0,20}?(?:提|说|写|载|给|列|规|涉|找|指|注|包|显|信息|内容|相关|答案|關|說|記|資訊|內容|註|給|顯)',
    '(?:没有|并未|未|沒有|並未)(?:明确|直接|具体|找到|任何|明確|具體|说明|關於|关于|提及|提到|记载|記載|写明|寫明|载明|載明|注明|註明|列出|给出|給出|指明|规定[^的]{0,8}(?:天数|金额|时间|多少))',
    '(?:没有|沒有)[^，。；]{0,20}(?:信息|相关内容|相关资料|记录|资讯|資訊|紀錄)',
    '(?:无法|無法|不能)(?:从[^，。；]{0,8})?(?:确定|得知|判断|回答|找到|查到|確定|判斷)',
    '不在(?:文档|资料|文件|來源|来源|資料)',
  ].join('|'),
  'u',
)
const en = new RegExp(
  [
    String.raw`\b(?:sources?|documents?|passages?|text|context|materials?|manual|policy|excerpts?|they|it)\b[^.;]{0,30}?\b(?:do|does|did)(?: not|n['’]t)\b[^.;]{0,20}?\b(?:mention|state|contain|say|specify|provide|include|give|list|indicate|hold|cover|address|disclose|answer)\b`,
    String.raw`\bno (?:\w+ )?(?:information|mention|details?|indication|answer|data|statement)\b`,
    String.raw`\bnot (?:\w+ )?(?:mentioned|stated|specified|documented|disclosed|indicated|named|(?:found|given|provided|listed|included|contained|covered) (?:in|by) the (?:sources?|documents?|passages?|text|context|materials?))\b`,
    String.raw`\b(?:can|could)(?:not| not|['’]t|n['’]t) (?:be )?(?:determined?|find|found|answer(?:ed)?|say|tell)\b|\bunable to (?:find|answer|determine|say)\b`,
  ].join('|'),
  'iu',
)
const other =
  /記載(?:されて)?(?:いません|がありません|ない)|見つかりません|(?:nicht|keine?) [^.]{0,40}(?:genannt|erwähnt|enthalten|angegeben|Angaben?|Informationen)|ne [^.]{0,40} pas/iu

/** Whether a sentence says that something is not said, as a model does that finds nothing. */
export function isAboutLack(sentence: string): boolean {
  return zh.test(sentence) || en.test(sentence) || other.test(sentence)
}

/**
 * Whether a model's text says that the sources do not answer: it begins with the words it was told to say then (Docent's in any of its
 * languages, or `own`), or it cites nothing and its first sentence says so.
 */
export function isRefusal(text: string, citations: readonly unknown[], own?: string): boolean {
  const told = [own, ...(['zh', 'zh-Hant', 'en'] as const).map((tongue) => say('notFound', tongue))].flatMap((words) => words ?? [])
  const said = squeeze(text)
  if (told.map(squeeze).some((words) => words !== '' && said.startsWith(words))) return true
  const [first, second] = sentencesOf(text).map(({ start, end }) => text.slice(start, end))
  const isBare = citations.length === 0 && markersOf(text).every(({ at }) => at <= (first?.length ?? 0) + 2)
  return isBare && first !== undefined && (isAboutLack(first) || (first.length <= 40 && second !== undefined && isAboutLack(second)))
}
