import type { Emotion } from '@docent/core/answer-event'
import { fold } from '@docent/core/text/fold'

// phrases rather than words: “urgent” or 满意度 may be what is asked about, “it is urgent” and 不满意 are how
const phrases: Readonly<Record<Exclude<Emotion, 'neutral'>, { en: string; zh: string }>> = {
  angry: {
    en: "angry|furious|fed up|sick of|ridiculous|unacceptable|outrageous|terrible service|the worst|useless|annoy(?:ed|ing)|frustrat(?:ed|ing)|i hate|wtf|not (?:at all |very )?(?:happy|satisfied)|isn['’]t good enough",
    zh: '气死|生气|愤怒|恼火|烦死|烦透|太差|真垃圾|太垃圾|受够|忍无可忍|什么破|骗人|坑人|离谱|太过分|不满意(?!度)|很不满(?!足)',
  },
  anxious: {
    en: "worried|anxious|nervous|i(?:['’]m| am) (?:afraid|scared|stressed)|panicking|freaking out",
    zh: '担心|焦虑|好紧张|很紧张|有点紧张|害怕|我?好?慌|忐忑|发愁|心里没底|怎么办啊',
  },
  urgent: {
    en: "asap|as soon as possible|right away|urgently|(?:(?:it|this|that)(?:['’]s| is) |very |really |so )+urgent|in a hurry|running out of time",
    zh: '很急|好急|急死|着急|急需|急用|赶紧|尽快|马上就要|来不及了|十万火急|在线等',
  },
  sad: {
    en: "i(?:['’]m| am| feel) (?:so |very |really )?(?:sad|down|depressed|lonely)|unhappy|heartbroken|disappointed|miserable|hopeless",
    zh: '难过|伤心|失望|沮丧|郁闷|想哭|哭了|心碎|绝望|不开心|不高兴',
  },
  happy: {
    en: "(?:i(?:['’]m| am)|so|very) (?:happy|glad|pleased)|i love (?:it|this)|awesome|wonderful|thank you so much|many thanks|haha",
    zh: '太好了|太棒|真棒|开心|好高兴|很高兴|哈哈|非常感谢|太感谢|很满意|好喜欢',
  },
}

const patterns = (Object.entries(phrases) as [Emotion, { en: string; zh: string }][]).map(([emotion, { en, zh }]) => ({
  emotion,
  pattern: new RegExp(`(?<![\\p{Script=Latin}\\p{N}])(?:${en})(?![\\p{Script=Latin}\\p{N}])|${zh}`, 'gu'),
}))
// right before a phrase, with up to two words between in English
const negation =
  /(?:(?<!\p{L})(?:not|no|never|without|hardly|nothing)|n['’]t)(?:\s+[\p{L}'’]+){0,2}\s*$|(?:不|没|没有|别|不用|不必|无需|并非|不是)(?:太|很|会|再|要|怎么|那么|觉得|感到)?$/u
const BEFORE = 30

/**
 * How the writer of a text sounds, by a small list of phrases in Chinese and English; a negated phrase does not count. The label said
 * most often wins, of equals the one listed first. Irony, other languages and what no listed phrase says are `neutral`.
 */
export function emotionOf(text: string): Emotion {
  const folded = fold(text)
  let best: { emotion: Emotion; count: number } = { emotion: 'neutral', count: 0 }
  for (const { emotion, pattern } of patterns) {
    const count = [...folded.matchAll(pattern)].filter(
      ({ index }) => !negation.test(folded.slice(Math.max(0, index - BEFORE), index)),
    ).length
    if (count > best.count) best = { emotion, count }
  }
  return best.emotion
}

const tones: Readonly<Record<Exclude<Emotion, 'neutral'>, string>> = {
  angry: 'The reader sounds annoyed: stay calm, acknowledge it in half a sentence, make no excuses, and come to the answer at once.',
  anxious: 'The reader sounds worried: be calm and clear, and say what can be done next; promise nothing that the sources do not.',
  urgent: 'The reader is in a hurry: give the answer in the first sentence and be brief.',
  sad: 'The reader sounds sad or disappointed: be warm in a few words, then answer.',
  happy: 'The reader sounds pleased: be friendly, and answer as precisely as ever.',
}

/** One line for the prompt, none for a neutral question. */
export function toneRules(emotion: Emotion | undefined): string[] {
  return emotion && emotion !== 'neutral' ? [tones[emotion]] : []
}
