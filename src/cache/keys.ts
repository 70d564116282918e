// Every Redis key of the cache, under one hash tag, so that one script can touch an entry, its tags and the sequence
// together. In a cluster the cache therefore lives on one node; `REDIS_CACHE_URL` gives it a server of its own.
const TAG = '{cache}'

/**
 * Hash: `epoch`, who the cache is; `run`, which start of the server made it; `sequence`, how many drops it has told;
 * `versions`, how many versions of tags it has given; `warmed`, the last epoch that was warmed.
 */
export const META = `${TAG}:meta`
/** Channel of drops; on the node of the keys, which keeps their order. */
export const DROPS = `${TAG}:drops`
/** Hash: the version of each tag; a drop gives it another. */
export const tagsKey = (epoch: string): string => `${TAG}:${epoch}:tags`
/**
 * Hash of one answer. Each field ends with the version of the shape, so that a deploy's two versions do not load in
 * turns, and one drop takes both: value `v`, soft end `s` and end of its grace `h` (server time, ms), versions of its
 * tags `t`; of a load under way: token `l`, end of the lease `le`, versions of the tags at its beginning `lt`; of one
 * that failed: error `e`, end of its throttle `ee`. Another epoch has other keys: what a server brings back from before
 * its start is never found.
 */
export const entryKey = (epoch: string, place: string): string => `${TAG}:${epoch}:${place}`
