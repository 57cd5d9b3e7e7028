import { expect, test } from 'vitest'
import { type Appended, createLiveStream, type Frame } from './live-stream.ts'

function open(answer: () => Promise<Appended> = async () => 'kept') {
  const batches: Frame[][] = []
  const due = new Set<() => void>()
  const stream = createLiveStream(
    'a',
    (batch) => {
      batches.push([...batch])
      return answer()
    },
    (flush) => due.add(flush),
  )
  /** what the shared timer does */
  const tick = () => {
    for (const flush of [...due]) flush()
    due.clear()
  }
  const told = () =>
    batches.map((batch) => batch.map(({ id, data }) => `${id} ${(JSON.parse(data) as { text?: string }).text ?? ''}`.trim()))
  return { stream, batches, due, tick, told }
}

test('the first text leaves at once with what happens in its turn of the event loop, later text with the timer', async () => {
  const { stream, due, tick, told } = open()
  stream.push({ type: 'usage', data: { inputTokens: 1, outputTokens: 1 } })
  stream.delta('一')
  stream.delta('二')
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  expect(told()).toEqual([['1', '2 一二']])
  tick()
  stream.delta('三')
  stream.delta('四')
  expect(due.size).toBe(1)
  tick()
  await stream.flushed()
  expect(told()).toEqual([['1', '2 一二'], ['3 三四']])
  expect(stream.log).toEqual([['usage', expect.any(String)], 2, 4])
})

test('what no database keeps is left out, and a character in two halves is put together', async () => {
  const { stream, told } = open()
  stream.delta('\ud83d')
  expect(stream.text).toBe('')
  expect(stream.firstTextAt).toBeUndefined()
  stream.delta('\ude00\0a')
  stream.delta('\ude00b\ud83d')
  await stream.flushed()
  expect(stream.text).toBe('😀a\ufffdb')
  expect(told().flat()).toEqual(['1 😀a\ufffdb'])
  expect(stream.log).toEqual([stream.text.length])
})

test('what is told whole leaves with its end', async () => {
  const { stream, told } = open()
  stream.delta('一', 'over')
  await new Promise(setImmediate)
  expect(told()).toEqual([])
  stream.push({ type: 'done', data: { state: 'done' } })
  await stream.flushed()
  expect(told()).toEqual([['1 一', '2']])
})

test('after another process has ended the journal nothing is shown', async () => {
  const { stream } = open(async () => 'ended')
  stream.delta('一')
  await stream.flushed()
  stream.delta('二')
  await stream.flushed()
  expect([stream.fenced, stream.ended, stream.frames]).toEqual([true, true, []])
})
