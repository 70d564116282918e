// The scripts of the level in Redis. Each compares the epoch first: whoever speaks of another one is told the present
// one ('epoch') and has done nothing. Time is the server's, so no clock of a process matters.
import { defineScript } from '../redis/index.ts'

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

// Redis that is full refuses what may grow memory, unless the script has written before. A drop must always be told.
const ALLOW_FULL = `
redis.call('PERSIST', KEYS[1])`

const EPOCH = `
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
if epoch ~= ARGV[1] then return { 'epoch', epoch } end`

/** A version that no tag ever had. All are forgotten once a day, because nothing else ends those that nobody uses. */
const ANOTHER = `
local function another(tags, tag)
  local version = redis.call('HINCRBY', KEYS[1], 'versions', 1)
  redis.call('HSET', tags, tag, version)
  if redis.call('PTTL', tags) < 0 then redis.call('PEXPIRE', tags, ${24 * 3_600_000}) end
  return version
end`

/**
 * The versions of the tags named from ARGV[first] on, as text. One without a version gets another: the server may have
 * evicted it, and what was stored under the former must not become true again.
 */
const tagsFrom = (first: number) => `${ANOTHER}
local tags = ''
for i = ${first}, #ARGV do
  local version = redis.call('HGET', KEYS[3], ARGV[i])
  tags = tags .. (version or another(KEYS[3], ARGV[i])) .. ','
end`

/**
 * KEYS meta. ARGV run, fresh epoch. Another run is another start of the server, or another server: what it remembers
 * may be older than what was told, so it gets a new epoch. Answers epoch, sequence and time.
 */
export const OPEN = defineScript(`${NOW}
local known = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'sequence')
if known[1] and known[2] == ARGV[1] then return { known[1], tonumber(known[3]) or 0, now } end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'run', ARGV[1], 'sequence', 0, 'versions', 0)
return { ARGV[2], 0, now }`)

/**
 * KEYS meta, entry, tags. ARGV epoch, version of the shape, token, leaseMs, eagerMs, tags… The answer is fresh when its
 * soft end is more than eagerMs away. Answers one of {fresh, value, softEnd}, {lease, old value}, {wait, ms, old value},
 * {failed, error, old value}; the old value is false without one that may still be given. Asked again under its token
 * for 0 ms, a lease is given up.
 */
export const LEASE = defineScript(`${NOW}${EPOCH}${tagsFrom(6)}
local e = redis.call('HMGET', KEYS[2], 'v', 'n', 's', 't', 'l', 'le', 'e', 'ee', 'lt', 'h', 'en')
local old = false
-- The key itself may live longer: a lease or a failure prolongs it.
if e[1] and e[2] == ARGV[2] and e[4] == tags and (tonumber(e[10]) or 0) > now then
  old = e[1]
  if tonumber(e[3]) > now + tonumber(ARGV[5]) then return { 'fresh', old, tonumber(e[3]) } end
end
-- What one version cannot load another can, as while a deploy goes on.
if e[8] and tonumber(e[8]) > now and e[11] == ARGV[2] then return { 'failed', e[7], old } end
-- A load that began before one of its tags was dropped will be refused: nobody waits for it.
if e[5] and e[5] ~= ARGV[3] and e[9] == tags and tonumber(e[6]) > now then return { 'wait', tonumber(e[6]) - now, old } end
local leaseMs = tonumber(ARGV[4])
redis.call('HSET', KEYS[2], 'l', ARGV[3], 'le', now + leaseMs, 'lt', tags)
if redis.call('PTTL', KEYS[2]) < leaseMs then redis.call('PEXPIRE', KEYS[2], leaseMs) end
return { 'lease', old }`)

/**
 * KEYS meta, entry, tags. ARGV epoch, version, token, softMs, hardMs, value, tags… Stores what the holder of the lease
 * has loaded, unless the entry or one of its tags was dropped since. Answers {stored, softEnd} or {refused}.
 */
export const FILL = defineScript(`${NOW}${EPOCH}${tagsFrom(7)}
local lease = redis.call('HMGET', KEYS[2], 'l', 'lt')
if lease[1] ~= ARGV[3] then return { 'refused' } end
redis.call('HDEL', KEYS[2], 'l', 'le', 'lt', 'e', 'ee', 'en')
if lease[2] ~= tags then return { 'refused' } end
local softEnd = now + tonumber(ARGV[4])
redis.call('HSET', KEYS[2], 'v', ARGV[6], 'n', ARGV[2], 's', softEnd, 'h', now + tonumber(ARGV[5]), 't', tags)
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return { 'stored', softEnd }`)

/**
 * KEYS meta, entry. ARGV epoch, version, token, error, throttleMs. Tells who asks within throttleMs that the load has failed. Of
 * no effect when the lease is another's.
 */
export const FAIL = defineScript(`${NOW}${EPOCH}
if redis.call('HGET', KEYS[2], 'l') ~= ARGV[3] then return { 'refused' } end
redis.call('HDEL', KEYS[2], 'l', 'le', 'lt')
redis.call('HSET', KEYS[2], 'e', ARGV[4], 'ee', now + tonumber(ARGV[5]), 'en', ARGV[2])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[2], ARGV[5]) end
return { 'stored' }`)

/**
 * KEYS meta, tags, entries… ARGV epoch, channel, message, tags… Removes entries with their leases, gives tags new
 * versions, and tells every process, in one step.
 */
export const DROP = defineScript(`${EPOCH}${ANOTHER}${ALLOW_FULL}
if #KEYS > 2 then redis.call('DEL', unpack(KEYS, 3)) end
for i = 4, #ARGV do another(KEYS[2], ARGV[i]) end
local sequence = redis.call('HINCRBY', KEYS[1], 'sequence', 1)
redis.call('PUBLISH', ARGV[2], epoch .. '|' .. sequence .. '|' .. ARGV[3])
return { 'dropped' }`)

/** KEYS meta. ARGV fresh epoch, channel. Nothing that is stored is found any more; every process empties its memory. */
export const RESET = defineScript(`${ALLOW_FULL}
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'sequence', 1, 'versions', 0)
redis.call('PUBLISH', ARGV[2], ARGV[1] .. '|1|{"drops":[]}')
return { 'reset' }`)
