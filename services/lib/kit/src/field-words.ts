import type { z } from 'zod'

type Issue = z.core.$ZodIssue
type Words = { zh: string; en: string }

/** Our own sentences about a field, as the schemas say them. */
const own: Readonly<Record<string, string>> = {
  'is empty': '为空，请填写内容',
  'holds nothing visible': '没有可见内容，请填写文字',
  'holds NUL or half a surrogate pair': '含有无法存储的字符（NUL 或不完整的字符）',
  'has more than 4,000 characters': '超过 4,000 个字符，请缩短',
  'cannot be stored': '含有无法存储的字符（NUL 或不完整的字符）',
  'cannot be searched': '含有无法检索的字符',
  'has passed': '已是过去的时间',
  'must be a media type, like application/pdf': '应为媒体类型，例如 application/pdf',
  'must end with a message of the user: it is the question': '应以用户的消息结尾：它就是问题',
  'holds a picture, a sound or a file: these are not looked at here, ask in words': '含有图片、声音或文件：这里不读取它们，请用文字提问',
  'asks for what is not written here: answers are text; leave it out': '要求了这里不提供的格式：回答都是文本，请去掉它',
  'asks for a tool: those of a caller are not called; leave it out': '要求调用工具：这里不调用调用方的工具，请去掉它',
}
const library = /^(?:Too (?:small|big)|Invalid|Unrecognized)/

const types: Readonly<Record<string, Words>> = {
  string: { zh: '一段文字', en: 'a text in quotes' },
  number: { zh: '一个数字', en: 'a number' },
  int: { zh: '一个整数', en: 'a whole number' },
  boolean: { zh: 'true 或 false', en: 'true or false' },
  array: { zh: '一个列表 […]', en: 'a list, […]' },
  object: { zh: '一个对象 {…}', en: 'an object, {…}' },
  record: { zh: '一个对象 {…}', en: 'an object, {…}' },
}
const formats: Readonly<Record<string, Words>> = {
  uuid: { zh: '一个编号（UUID）', en: 'an id (UUID)' },
  datetime: { zh: '带时区的日期时间，例如 2026-11-21T00:00:00Z', en: 'a date and time with its zone, like 2026-11-21T00:00:00Z' },
  url: { zh: '一个网址', en: 'a URL' },
}

/** What is wrong with a field and what to send instead, in the caller's language; what the schemas say themselves goes first. */
export function fieldWords(issue: Issue, language: 'zh' | 'en'): string {
  if (!library.test(issue.message)) return language === 'zh' ? (own[issue.message] ?? issue.message) : issue.message
  return wordsOf(issue)?.[language] ?? issue.message
}

function wordsOf(issue: Issue): Words | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = types[issue.expected]
      const isMissing = issue.message.endsWith('received undefined')
      if (!wanted) return undefined
      return isMissing
        ? { zh: `缺少，请发送${wanted.zh}`, en: `is missing: send ${wanted.en}` }
        : { zh: `应为${wanted.zh}`, en: `must be ${wanted.en}` }
    }
    case 'too_small':
      return bound(issue.origin, Number(issue.minimum), 'min')
    case 'too_big':
      return bound(issue.origin, Number(issue.maximum), 'max')
    case 'unrecognized_keys': {
      const names = issue.keys.join(', ')
      return { zh: `没有这些字段：${names}`, en: `has no field named ${names}` }
    }
    case 'invalid_value': {
      const values = issue.values.map((value) => JSON.stringify(value)).join(', ')
      return { zh: `应为以下之一：${values}`, en: `must be one of ${values}` }
    }
    case 'invalid_format': {
      const wanted = formats[issue.format]
      return wanted
        ? { zh: `应为${wanted.zh}`, en: `must be ${wanted.en}` }
        : { zh: '格式不对', en: 'has another form than it must have; see /docs' }
    }
    default:
      return undefined
  }
}

function bound(origin: string, limit: number, side: 'min' | 'max'): Words {
  const n = limit.toLocaleString('en')
  if (origin === 'string') {
    if (side === 'min' && limit === 1) return { zh: '为空，请填写内容', en: 'is empty' }
    return side === 'min'
      ? { zh: `至少需要 ${n} 个字符`, en: `must have at least ${n} characters` }
      : { zh: `最多 ${n} 个字符`, en: `must have at most ${n} characters` }
  }
  if (origin === 'array' || origin === 'set')
    return side === 'min'
      ? { zh: `至少需要 ${n} 项`, en: `must have at least ${n} entries` }
      : { zh: `最多 ${n} 项`, en: `must have at most ${n} entries` }
  return side === 'min' ? { zh: `不能小于 ${n}`, en: `must be at least ${n}` } : { zh: `不能大于 ${n}`, en: `must be at most ${n}` }
}
