import { createHash } from 'node:crypto'
import { type Chunk, embedText } from '@docent/core/chunk'
import { languageOf } from '@docent/core/text/language'
import type { Corpus } from '@docent/corpus/corpus'
import { dimension, vectorOf } from './fake-embedder.ts'

export type Paper = {
  path: string
  title?: string
  parts: string[]
  collection?: string
  readers?: string[]
  mediaType?: string
  modifiedAt?: Date
}

/** Puts documents into the corpus as ingest does, one chunk per part. */
export async function shelve(corpus: Corpus, paper: Paper): Promise<string> {
  const {
    path,
    title = '',
    parts,
    collection = 'default',
    readers = null,
    mediaType = 'text/markdown',
    modifiedAt = new Date('2026-01-01T00:00:00Z'),
  } = paper
  const contentHash = sha(parts.join('\n'))
  const known = await corpus.findByPath(path)
  if (known) await corpus.changeDocument(known.id, { contentHash, mediaType, size: 1, modifiedAt })
  else await corpus.addDocuments([{ path, collection, readers, contentHash, mediaType, size: 1, modifiedAt }])
  const document = (await corpus.findByPath(path))!
  let at = 0
  const chunks = parts.map((text, ordinal): Chunk => {
    const start = at
    at += text.length + 1
    const end = start + text.length
    return {
      ordinal,
      text,
      header: title,
      locator: { heading: title ? [title] : [], start, end },
      textHash: sha(embedText({ header: title, text })),
      parent: { start, end, text },
    }
  })
  const generation = await corpus.activeGeneration('fake', dimension)
  await corpus.saveVectors('fake', new Map(chunks.map((chunk) => [chunk.textHash, vectorOf(embedText(chunk))])))
  const attempt = await corpus.beginAttempt(document.id, contentHash)
  await corpus.replaceChunks(
    document,
    { contentHash, settingsHash: 's', title, language: languageOf(parts.join(' ')), notes: [] },
    chunks,
    generation,
    attempt,
  )
  return document.id
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const zhFiller = [
  '食堂每天十一点半开门，周末休息。',
  '停车场需要提前登记车牌号。',
  '新员工入职当天领取工牌。',
  '图书角的书可以借两个星期。',
  '健身房早上七点开放。',
  '快递请到一楼前台领取。',
  '下午茶每周三提供。',
  '办公桌椅损坏请联系行政部。',
]
const enFiller = [
  'The canteen opens at half past eleven.',
  'Parking needs a registered plate.',
  'New colleagues collect a badge on day one.',
  'Books may be borrowed for two weeks.',
  'The gym opens at seven.',
  'Parcels wait at the front desk.',
  'Tea is served on Wednesdays.',
  'Broken chairs are replaced by facilities.',
]

export const papers: Paper[] = [
  {
    path: '手册/保修说明.md',
    title: '保修说明',
    parts: ['本产品的保修期为二十四个月，自购买之日起计算。', '人为损坏、进水和自行拆机不在服务范围之内。'],
  },
  { path: '手册/密码.md', title: '密码', parts: ['无线网络的密码每季度更换一次，请向前台索取。'] },
  {
    path: 'handbook/refund.md',
    title: 'Refund policy',
    parts: ['Refunds are paid within 14 days of the return.', 'Opened software under licence code RFC-9457 cannot be returned.'],
  },
  {
    path: 'handbook/battery.txt',
    title: 'Battery care',
    parts: ['Charge the battery to 80% for storage.'],
    mediaType: 'text/plain',
    modifiedAt: new Date('2026-05-01T00:00:00Z'),
  },
  { path: '手册/園區.md', title: '園區', parts: ['員工報銷請於每月五號之前提交單據。'] },
  { path: 'secret/board.md', title: 'Board', parts: ['The board meeting room is on floor nine.'], collection: 'board' },
  { path: '手册/杂项.md', title: '杂项', parts: zhFiller },
  { path: 'handbook/misc.md', title: 'Misc', parts: enFiller },
]
