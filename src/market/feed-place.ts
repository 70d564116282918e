// How far the feed of a recording has come. A feed that starts again goes on from there: read from the beginning, a
// recording longer than the stream remembers event ids (dedupeMs) would be stored a second time, late and out of order.
import { feedPlaces } from '../catalog/index.ts'
import type { Config } from '../kernel/index.ts'
import { type Redis, redisError } from '../redis/index.ts'

/** Rejects with REDIS_UNAVAILABLE. */
export interface FeedPlace {
  /** The last step that is stored; 0 before the first. */
  read(): Promise<number>
  /** Call it after the step is stored: what is between a crash and the note is repeated under the same ids. */
  keep(step: number): Promise<void>
}

/** Each recording has its own place, under its FEED. */
export function openFeedPlace(
  redis: () => Promise<Redis>,
  { FEED, REDIS_URL }: Pick<Config, 'FEED' | 'REDIS_URL'>,
): FeedPlace {
  const ask = async <T>(command: (client: Redis) => Promise<T>): Promise<T> => {
    try {
      return await command(await redis())
    } catch (error) {
      throw redisError(error, REDIS_URL)
    }
  }
  return {
    read: async () => Number((await ask((client) => client.hget(feedPlaces, FEED))) ?? 0),
    async keep(step) {
      await ask((client) => client.hset(feedPlaces, FEED, step))
    },
  }
}
