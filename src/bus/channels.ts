// Pub/sub: at most once. A listener is told each time its subscription is confirmed, because what was said while it
// was away is gone and only it knows what to do about that.
import { aborted, repeat, runTasks, type Task } from '../kernel/index.ts'
import { closeRedis, connectRedis, onNodeOf, type Redis, redisError } from '../redis/index.ts'
import type { ChannelListener } from './bus.ts'
import { disturb, isPassing, type Link } from './link.ts'

// A subscriber only ever listens, so nothing but a question shows that the other end is gone or frozen.
const ASK_EVERY_MS = 2_000
const ANSWER_MS = 2_000

/** Publishes on the node of the channel, where what is said arrives in order. Rejects while no server is connected. */
export async function tell(link: Link, channel: string, message: string): Promise<void> {
  try {
    await onNodeOf(await link.writer(), channel).publish(channel, message)
  } catch (error) {
    throw redisError(error, link.url)
  }
}

export function listen(
  link: Link,
  patterns: readonly string[],
  onMessage: ChannelListener,
  onReady: (() => void) | undefined,
): Task {
  return async (signal) => {
    if (signal.aborted) return
    const where = patterns.join(' ')
    const disturbed = (error: unknown) => disturb(link, where, error)
    const client = connectRedis(link.url, 'subscriber', { name: 'listener', onError: disturbed })
    const refused = Promise.withResolvers<never>()
    client.on('pmessage', (_pattern: string, channel: string, message: string) => {
      try {
        onMessage(channel, message)
      } catch (error) {
        // One message must not take the others with it.
        disturb(link, where, error, false)
      }
    })
    // Nothing subscribes again by itself (roles.ts in src/redis).
    client.on('ready', () => {
      client
        .psubscribe(...patterns)
        .then(() => onReady?.())
        .catch((error) => {
          disturbed(error)
          if (!isPassing(error)) refused.reject(redisError(error, link.url))
        })
    })
    client.connect().catch(() => {})
    const watch = repeat(ASK_EVERY_MS, link.clock, (over) => ask(link, client, over, disturbed))
    try {
      await runTasks([watch, () => Promise.race([refused.promise, aborted(signal)])], signal)
    } finally {
      await closeRedis(client)
    }
  }
}

/** Starts the connection anew when the server does not answer; it then subscribes again. */
async function ask(
  link: Link,
  client: Redis,
  signal: AbortSignal,
  disturbed: (error: unknown) => void,
): Promise<void> {
  if (client.status !== 'ready') return
  const answer = client.ping().then(
    () => true,
    () => true,
  )
  const isAlive = await Promise.race([answer, link.clock.sleep(ANSWER_MS, signal)])
  if (isAlive === true || signal.aborted || client.status !== 'ready') return
  disturbed(new Error(`no answer for ${ANSWER_MS} ms`))
  client.disconnect(true)
}
