import { fold } from '@docent/core/text/fold'
import type { Tongue } from './phrases.ts'

export type SmallTalk = 'greeting' | 'thanks' | 'goodbye' | 'who' | 'test'

// whole turns, as they are after folding; anything else is a question
const turns: Record<SmallTalk, string> = {
  greeting:
    '你好|您好|你好呀|你好啊|大家好|嗨|哈喽|哈啰|早|早上好|上午好|中午好|下午好|晚上好|在吗|你在吗|您在吗|有人吗|hello|hello there|hi|hi there|hey|hey there|good morning|good afternoon|good evening|good day|greetings|are you there|anyone there',
  thanks:
    '谢谢|谢谢你|谢谢您|多谢|感谢|非常感谢|十分感谢|太感谢了|谢了|好的谢谢|好谢谢|thanks|thank you|thanks a lot|thank you very much|thank you so much|many thanks|thx|ok thanks|okay thanks|great thanks|cheers',
  goodbye: '再见|拜拜|回头见|晚安|bye|bye bye|goodbye|good bye|see you|see you later|good night',
  who: '你是谁|您是谁|你叫什么|你叫什么名字|你是什么|介绍一下你自己|介绍一下自己|自我介绍|自我介绍一下|你能做什么|你会做什么|你能干什么|你会什么|你有什么功能|我能问什么|我可以问什么|我可以问你什么|能问你什么|可以问什么|帮助|who are you|what are you|what is your name|whats your name|what can you do|what can i ask|what can i ask you|what can you help with|what can you help me with|how can you help|how can you help me|introduce yourself|tell me about yourself|help',
  test: '测试|测试一下|试试|test|testing|test test|this is a test|just testing|ping',
}
const kindOf = new Map(Object.entries(turns).flatMap(([kind, list]) => list.split('|').map((turn) => [turn, kind as SmallTalk])))

const zh = {
  greeting: '你好！我根据这里收录的文档回答问题，并注明出处。请直接提问，写明想了解的产品、制度或事项。',
  thanks: '不客气！还有关于这些文档的问题，可以接着问。',
  goodbye: '再见！以后有问题，随时再来问。',
  who: '我是文档问答助手：在这里收录的文档中查找答案，并注明出处；文档里没有的，会直接说明。请直接提问，写明想了解的产品、制度或事项。',
  test: '收到。请提一个关于这里文档的问题，我会注明答案的出处。',
}
const hant: typeof zh = {
  greeting: '你好！我根據這裡收錄的文件回答問題，並註明出處。請直接提問，寫明想了解的產品、制度或事項。',
  thanks: '不客氣！還有關於這些文件的問題，可以接著問。',
  goodbye: '再見！以後有問題，隨時再來問。',
  who: '我是文件問答助手：在這裡收錄的文件中查找答案，並註明出處；文件裡沒有的，會直接說明。請直接提問，寫明想了解的產品、制度或事項。',
  test: '收到。請提一個關於這裡文件的問題，我會註明答案的出處。',
}
const en: typeof zh = {
  greeting: 'Hello! I answer questions from the documents kept here and name the source. Ask about a product, a rule or a subject in them.',
  thanks: 'You are welcome! Ask on if there is more you want to know from these documents.',
  goodbye: 'Goodbye! Come back whenever you have a question.',
  who: 'I am the assistant for the documents kept here: I look answers up in them and name the source, and say so when they do not hold one. Ask about a product, a rule or a subject in them.',
  test: 'Received. Ask a question about the documents kept here, and I will name the source of the answer.',
}
const replies = { zh, 'zh-Hant': hant, en }

/** What a turn is that asks nothing of the documents: a greeting, thanks, a goodbye, “who are you”, a test. Whole turns only. */
export function smallTalkOf(question: string): SmallTalk | undefined {
  const words = fold(question)
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  return kindOf.get(words) ?? kindOf.get(words.replace(/(?<=\p{Script=Han}) (?=\p{Script=Han})/gu, ''))
}

/** What is said to it without a model, unless the persona has a greeting of its own. */
export function replyTo(kind: SmallTalk, tongue: Tongue): string {
  return replies[tongue][kind]
}

/** What a model is told about it; `greeting` are the persona's words for a greeting. */
export function smallTalkRules(greeting: string | undefined): string[] {
  return [
    greeting === undefined
      ? 'This message asks nothing of the documents: answer it in one or two friendly sentences and say that questions about the documents are welcome.'
      : greetingRule(greeting),
    'You have no sources here: claim nothing about what the documents hold.',
  ]
}

export function greetingRule(greeting: string): string {
  return `This message is a greeting: answer it with these words: ${greeting}`
}
