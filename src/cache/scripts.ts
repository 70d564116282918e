// The scripts of the level in Redis. Each compares the epoch first: whoever speaks of another one is told the present
// one ('epoch') and has done nothing. Time is the server's, so no clock of a process matters. Leases are taken and filled
// many in one call.
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
 * The versions of the tags ARGV[first] to ARGV[last], as text. One without a version gets another: the server may have
 * evicted it, and what was stored under the former must not become true again.
 */
const TAGS = `${ANOTHER}
local known = {}
local function versionsOf(first, last)
  local tags = ''
  for i = first, last do
    local tag = ARGV[i]
    known[tag] = known[tag] or redis.call('HGET', KEYS[2], tag) or another(KEYS[2], tag)
    tags = tags .. known[tag] .. ','
  end
  return tags
end`

/**
 * The names of an entry's fields for the version in ARGV[2], and the field that says which version alone has used the
 * entry, '*' for several. Who is alone knows how long the key has to live without asking: of 8 calls two less.
 */
const FIELDS = `
local n = ARGV[2]
local V, S, H, T, L, LE, LT, E, EE = 'v' .. n, 's' .. n, 'h' .. n, 't' .. n, 'l' .. n, 'le' .. n, 'lt' .. n, 'e' .. n, 'ee' .. n
local ONLY = 'only'`

/**
 * Takes the lease of an entry, unless somebody has it, or there is no need. Answers the kind, what belongs to it, and
 * whether there is an answer that may still be given.
 */
const TAKE = `${FIELDS}
local function take(entry, token, leaseMs, eagerMs, tags)
  local e = redis.pcall('HMGET', entry, S, T, H, L, LE, LT, E, EE, ONLY)
  -- What somebody else has put there, of another type, must not fail who asks for others in the same call.
  if e.err then
    redis.call('DEL', entry)
    e = { false, false, false, false, false, false, false, false, false }
  end
  -- The key itself may live longer: a lease, a failure or another version prolongs it.
  local hasOld = e[1] and e[2] == tags and tonumber(e[3]) > now
  if hasOld and tonumber(e[1]) > now + eagerMs then return 'fresh', tonumber(e[1]), true end
  if e[8] and tonumber(e[8]) > now then return 'failed', e[7], hasOld end
  -- A load that began before one of its tags was dropped will be refused: nobody waits for it.
  if e[4] and e[4] ~= token and e[6] == tags and tonumber(e[5]) > now then return 'wait', tonumber(e[5]) - now, hasOld end
  local isAlone = not e[9] or e[9] == n
  redis.call('HSET', entry, L, token, LE, now + leaseMs, LT, tags, ONLY, isAlone and n or '*')
  -- Never shorter: an answer within its grace may be there.
  if isAlone then
    redis.call('PEXPIRE', entry, math.max(leaseMs, (tonumber(e[3]) or 0) - now, (tonumber(e[8]) or 0) - now))
  elseif redis.call('PTTL', entry) < leaseMs then redis.call('PEXPIRE', entry, leaseMs) end
  return 'lease', false, hasOld
end`

/**
 * Stores what the holder of the lease has loaded, unless the entry or one of its tags was dropped since. Answers its
 * soft end, or false. What other versions have left goes when it has ended: one drop takes all, so they share a key.
 */
const KEEP = `${FIELDS}
local function keep(entry, token, softMs, hardMs, value, tags)
  local lease = redis.pcall('HMGET', entry, L, LT, E, ONLY)
  if lease[1] ~= token then return false end
  if lease[3] then redis.call('HDEL', entry, E, EE) end
  -- The lease is ended in place, which takes one call; to remove its fields would be another for each entry.
  if lease[2] ~= tags then
    redis.call('HSET', entry, L, '', LE, 0)
    return false
  end
  local softEnd = now + softMs
  redis.call('HSET', entry, V, value, S, softEnd, H, now + hardMs, T, tags, L, '', LE, 0)
  local isAlone = lease[4] == n
  if isAlone or redis.call('PTTL', entry) < hardMs then redis.call('PEXPIRE', entry, hardMs) end
  if isAlone then return softEnd end
  for _, field in ipairs(redis.call('HKEYS', entry)) do
    local m = string.match(field, '^h(%d+)$')
    local isOver = m and tonumber(redis.call('HGET', entry, field)) <= now
    if isOver and tonumber(redis.call('HGET', entry, 'le' .. m) or 0) <= now then
      redis.call('HDEL', entry, 'v' .. m, 's' .. m, 'h' .. m, 't' .. m, 'l' .. m, 'le' .. m, 'lt' .. m)
    end
  end
  if redis.call('HLEN', entry) == 8 then redis.call('HSET', entry, ONLY, n) end
  return softEnd
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
 * KEYS meta, tags, entries… ARGV epoch, version of the shape, how many bytes of values are wanted, and for each entry
 * token, leaseMs, eagerMs, the number of its tags, and they. An answer is fresh when its soft end is more than eagerMs away.
 * Answers 'taken' and three for each: 'fresh', its soft end and value; 'lease', false and the old value; 'wait', ms and the
 * old value; 'failed', the error and the old value. The old value is false without one that may still be given, or when
 * there were bytes enough before it; a fresh one is to be asked for again then (wait 0). Asked again under its token a
 * lease is prolonged, or for 0 ms given up.
 */
export const LEASE = defineScript(`${NOW}${EPOCH}${TAGS}${TAKE}
local at, taken, bytes = 4, { 'taken' }, tonumber(ARGV[3])
for i = 3, #KEYS do
  local last = at + 3 + ARGV[at + 3]
  local tags = versionsOf(at + 4, last)
  local kind, more, hasOld = take(KEYS[i], ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tags)
  local value = false
  if hasOld and bytes > 0 then
    value = redis.call('HGET', KEYS[i], V)
    bytes = bytes - #(value or '')
  elseif kind == 'fresh' and ARGV[3] ~= '0' then kind, more = 'wait', 0 end
  local n = 3 * i - 7
  taken[n], taken[n + 1], taken[n + 2] = kind, more, value
  at = last + 1
end
return taken`)

/**
 * KEYS meta, tags, entries… ARGV epoch, version, and for each entry token, softMs, hardMs, value, the number of its tags,
 * and they. Answers 'stored' and the soft end of each, false for one that was refused.
 */
export const FILL = defineScript(`${NOW}${EPOCH}${TAGS}${KEEP}
local at, stored = 3, { 'stored' }
for i = 3, #KEYS do
  local last = at + 4 + ARGV[at + 4]
  local tags = versionsOf(at + 5, last)
  stored[i - 1] = keep(KEYS[i], ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3], tags)
  at = last + 1
end
return stored`)

/**
 * KEYS meta, entry. ARGV epoch, version, token, error, throttleMs. Tells who asks within throttleMs that the load has
 * failed: what one version cannot load another can, as while a deploy goes on. Of no effect when the lease is another's.
 */
export const FAIL = defineScript(`${NOW}${EPOCH}
local n = ARGV[2]
if redis.call('HGET', KEYS[2], 'l' .. n) ~= ARGV[3] then return { 'refused' } end
redis.call('HDEL', KEYS[2], 'l' .. n, 'le' .. n, 'lt' .. n)
redis.call('HSET', KEYS[2], 'e' .. n, ARGV[4], 'ee' .. n, now + tonumber(ARGV[5]))
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

/** KEYS meta. ARGV epoch. Notes that what belongs into this epoch has been put there. */
export const WARMED = defineScript(`${EPOCH}
redis.call('HSET', KEYS[1], 'warmed', epoch)
return { 'noted' }`)
