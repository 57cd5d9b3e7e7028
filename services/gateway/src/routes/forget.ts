import { redisKeys } from '@docent/core/redis-keys'
import type { GatewayDeps } from '../deps.ts'

const STOP_WAIT_MS = 3_000

/**
 * Deletes a conversation from every store: its answers are stopped, its rows go with all that hangs on them, then the
 * journals, cached texts and what the replicas remember. False when it is not this principal's.
 */
export async function forgetConversation(deps: GatewayDeps, id: string, principal: string): Promise<boolean> {
  if (!(await deps.conversations.find(id, principal))) return false
  const running = (await deps.conversations.answers(id)).filter(({ state }) => state === 'streaming')
  await Promise.all(running.map(({ answerId }) => stopAnywhere(deps, answerId)))
  if (running.length > 0) await untilEnded(deps, id)
  const answers = await deps.conversations.answers(id)
  if (!(await deps.conversations.remove(id, principal))) return false
  await forgetAnswers(
    deps,
    answers.map(({ answerId }) => answerId),
  )
  await deps.answerCache.drop(answers.flatMap(({ cacheKey }) => cacheKey ?? []))
  return true
}

/** What replicas remember of answers, and their journals: what the database holds of them is told from then on. */
export async function forgetAnswers(deps: GatewayDeps, answerIds: readonly string[]): Promise<void> {
  for (const answerId of answerIds) {
    deps.answers.forget(answerId)
    deps.streams.close(answerId)
    await tell(deps, `forget ${answerId}`)
  }
  if (answerIds.length > 0 && deps.queue.status === 'ready')
    await deps.queue.del(answerIds.map((answerId) => redisKeys.stream.key(answerId)))
}

async function stopAnywhere(deps: GatewayDeps, answerId: string): Promise<void> {
  if (await deps.answers.stop(answerId)) return
  await deps.messages.askToStop(answerId)
  await tell(deps, `stop ${answerId}`)
}

async function untilEnded(deps: GatewayDeps, id: string): Promise<void> {
  const end = performance.now() + STOP_WAIT_MS
  while (performance.now() < end) {
    if ((await deps.conversations.answers(id)).every(({ state }) => state !== 'streaming')) return
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** Other replicas hear it through Redis; while that is down they let go of it within minutes by themselves. */
async function tell(deps: GatewayDeps, message: string): Promise<void> {
  if (deps.queue.status !== 'ready') return
  await deps.queue
    .publish(redisKeys.stop.channel, message)
    .catch((error: unknown) => deps.log.warn({ err: error }, 'other replicas were not told'))
}
