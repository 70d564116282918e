// Pub/sub: at most once. A listener is told each time its subscription is confirmed, because what was said while it
// was away is gone and only it knows what to do about that.
import { aborted, messageOf, type Task } from '../kernel/index.ts'
import { closeRedis, connectRedis } from '../redis/index.ts'
import type { ChannelListener } from './bus.ts'
import type { Link } from './link.ts'

export function listen(
  link: Link,
  patterns: readonly string[],
  onMessage: ChannelListener,
  onReady: (() => void) | undefined,
): Task {
  return async (signal) => {
    if (signal.aborted) return
    const client = connectRedis(link.url, 'subscriber', {
      name: 'listener',
      onError: (error) =>
        link.events.emit('disturbed', { where: patterns.join(' '), reason: messageOf(error) }),
    })
    client.on('pmessage', (_pattern: string, channel: string, message: string) => onMessage(channel, message))
    // ioredis subscribes again after a reconnect, but does not say when that is confirmed; so it is asked here.
    client.on('ready', () => {
      client
        .psubscribe(...patterns)
        .then(() => onReady?.())
        .catch((error) =>
          link.events.emit('disturbed', { where: patterns.join(' '), reason: messageOf(error) }),
        )
    })
    client.connect().catch(() => {})
    await aborted(signal)
    await closeRedis(client)
  }
}
