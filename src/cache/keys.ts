// Every Redis key of the cache, under one hash tag, so that one script can touch an entry, its tags and the sequence
// together. In a cluster the cache therefore lives on one node; `REDIS_CACHE_URL` gives it a server of its own.
const TAG = '{cache}'

/**
 * Hash: `epoch`, who the cache is; `run`, which start of the server made it; `sequence`, how many drops it has told;
 * `versions`, how many versions of tags it has given; `shapes`, which versions of shapes have been used; `warmed`, the
 * last epoch that was warmed.
 */
export const META = `${TAG}:meta`
/** Channel of drops; on the node of the keys, which keeps their order. */
export const DROPS = `${TAG}:drops`
/** Hash: the version of each tag; a drop gives it another. */
export const tagsKey = (epoch: string): string => `${TAG}:${epoch}:tags`
/** Of all answers and loads of an epoch, and its tags. */
export const epochPrefix = (epoch: string): string => `${TAG}:${epoch}:`

const LOAD = ':load'

/**
 * String: when a new one is due (server time, ms, 13 digits), `|`, the versions of its tags, `|`, the JSON. It ends with
 * its grace. Each version of a shape has its own, so that a deploy's two versions do not load in turns; another epoch has
 * other keys: what a server brings back from before its start is never found.
 */
export const answerKey = (epoch: string, place: string, version: number | string): string =>
  `${epochPrefix(epoch)}${place}@${version}`

/** String: the token of the load under way, `|`, the versions of the tags at its beginning; or `!` and why the last failed. */
export const loadKey = (epoch: string, place: string, version: number | string): string =>
  `${answerKey(epoch, place, version)}${LOAD}`

/** What a key of an epoch stands for; undefined for its tags. */
export function readKey(epoch: string, key: string) {
  const [, place, version, load] = /^(.+)@(\d+)(:load)?$/s.exec(key.slice(epochPrefix(epoch).length)) ?? []
  return place === undefined ? undefined : { place, version: Number(version), isLoad: load === LOAD }
}

const SOFT_END_DIGITS = 13

/** Undefined for what is no answer of this cache. Of one that somebody damaged the text may be no JSON. */
export function readAnswer(stored: string): { softEnd: number; tags: string; text: string } | undefined {
  const softEnd = Number(stored.slice(0, SOFT_END_DIGITS))
  const end = stored.indexOf('|', SOFT_END_DIGITS + 1)
  if (Number.isNaN(softEnd) || stored[SOFT_END_DIGITS] !== '|' || end === -1) return undefined
  return { softEnd, tags: stored.slice(SOFT_END_DIGITS + 1, end), text: stored.slice(end + 1) }
}
