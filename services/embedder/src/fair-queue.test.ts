import { describe, expect, it } from 'vitest'
import { createFairQueue } from './fair-queue.ts'

describe('the fair queue', () => {
  it('lets owners take turns and keeps the order within each', () => {
    const queue = createFairQueue<string>()
    const [large, small] = [{}, {}]
    for (const name of ['a1', 'a2', 'a3', 'a4']) queue.add(large, name)
    for (const name of ['b1', 'b2']) queue.add(small, name)
    expect(queue.size).toBe(6)
    expect(queue.clear()).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4'])
    expect(queue.take()).toBeUndefined()
  })

  it('forgets an owner that left and serves an entry put first before all', () => {
    const queue = createFairQueue<string>()
    const [gone, stays] = [{}, {}]
    queue.add(gone, 'g')
    queue.add(stays, 's')
    queue.addFirst('again')
    queue.drop(gone)
    expect(queue.size).toBe(2)
    expect(queue.clear()).toEqual(['again', 's'])
    expect(queue.size).toBe(0)
  })
})
