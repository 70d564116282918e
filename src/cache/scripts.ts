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
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'shapes')
local epoch, shapes = meta[1] or '', meta[2] or ''
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

/** Whose load is under way, and the versions of the tags at its beginning; or '!', and why the last one has failed. */
const HOLDER = `
local function holderOf(load)
  local held = redis.pcall('GET', load)
  -- Nothing, or something of another type that somebody else has put there.
  if type(held) ~= 'string' then return end
  if string.sub(held, 1, 1) == '!' then return '!', string.sub(held, 2) end
  local at = string.find(held, '|', 1, true)
  if at then return string.sub(held, 1, at - 1), string.sub(held, at + 1) end
end`

/**
 * Takes the lease of an answer, unless somebody has it, or there is no need. Answers the kind, what belongs to it, and
 * whether there is an answer that may still be given.
 */
const TAKE = `${HOLDER}
local function take(answer, load, token, leaseMs, eagerMs, tags)
  local head = redis.pcall('GETRANGE', answer, 0, 14 + #tags)
  -- What is of another type must not fail who asks for others in the same call.
  local hasOld = type(head) == 'string' and string.sub(head, 14) == '|' .. tags .. '|'
  if leaseMs == '0' then
    if holderOf(load) == token then redis.call('DEL', load) end
    return 'lease', false, hasOld
  end
  local softEnd = hasOld and tonumber(string.sub(head, 1, 13))
  if softEnd and softEnd > now + eagerMs then return 'fresh', softEnd, true end
  local mine = token .. '|' .. tags
  if redis.call('SET', load, mine, 'NX', 'PX', leaseMs) then return 'lease', false, hasOld end
  local owner, more = holderOf(load)
  if owner == '!' then return 'failed', more, hasOld end
  -- A load that began before one of its tags was dropped will be refused: nobody waits for it.
  if owner and owner ~= token and more == tags then
    local ms = redis.call('PTTL', load)
    if ms >= 0 then return 'wait', ms, hasOld end
  end
  redis.call('SET', load, mine, 'PX', leaseMs)
  return 'lease', false, hasOld
end`

/**
 * Stores what the holder of the lease has loaded, unless the answer or one of its tags was dropped since. Answers its
 * soft end, or false. A full Redis refuses the answer, unless the script has written before: the lease ends behind it.
 */
const KEEP = `${HOLDER}
local function keep(answer, load, token, softMs, hardMs, value, tags)
  local owner, under = holderOf(load)
  if owner ~= token then return false end
  local softEnd = false
  if under == tags then
    softEnd = now + math.floor(softMs)
    redis.call('SET', answer, string.format('%013d|', softEnd) .. tags .. '|' .. value, 'PX', hardMs)
  end
  redis.call('DEL', load)
  return softEnd
end`

/**
 * KEYS meta. ARGV run, fresh epoch. Another run is another start of the server, or another server: what it remembers
 * may be older than what was told, so it gets a new epoch. Answers epoch, time, and which versions of shapes are in use.
 */
export const OPEN = defineScript(`${NOW}
local known = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'shapes')
if known[1] and known[2] == ARGV[1] then return { known[1], now, known[3] or '' } end${ALLOW_FULL}
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'run', ARGV[1], 'sequence', 0, 'versions', 0, 'shapes', '')
return { ARGV[2], now, '' }`)

/**
 * KEYS meta, tags, and of each answer its own and that of its load. ARGV epoch, version of the shape, how many bytes of
 * values are wanted, and for each answer token, leaseMs, eagerMs, the number of its tags, and they. An answer is fresh
 * when its soft end is more than eagerMs away. Answers 'taken' and three for each: 'fresh', its soft end and value;
 * 'lease', false and the old value; 'wait', ms and the old value; 'failed', the error and the old value. The old value is
 * false without one that may still be given, or when there were bytes enough before it; a fresh one is to be asked for
 * again then (wait 0). Asked again under its token a lease is prolonged, or for 0 ms given up.
 */
export const LEASE = defineScript(`${NOW}${EPOCH}${TAGS}${TAKE}
-- Who drops an answer has to know the versions in which it may be there.
if not string.find(',' .. shapes, ',' .. ARGV[2] .. ',', 1, true) then
  redis.call('HSET', KEYS[1], 'shapes', shapes .. ARGV[2] .. ',')
end
local at, taken, bytes = 4, { 'taken' }, tonumber(ARGV[3])
for i = 3, #KEYS, 2 do
  local last = at + 3 + ARGV[at + 3]
  local tags = versionsOf(at + 4, last)
  local kind, more, hasOld = take(KEYS[i], KEYS[i + 1], ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tags)
  local value = false
  if hasOld and bytes > 0 then
    value = string.sub(redis.call('GET', KEYS[i]), 16 + #tags)
    bytes = bytes - #value
  elseif kind == 'fresh' and ARGV[3] ~= '0' then kind, more = 'wait', 0 end
  local n = #taken
  taken[n + 1], taken[n + 2], taken[n + 3] = kind, more, value
  at = last + 1
end
return taken`)

/**
 * KEYS meta, tags, and of each answer its own and that of its load. ARGV epoch, and for each answer token, softMs,
 * hardMs, value, the number of its tags, and they. Answers 'stored' and the soft end of each, false for one that was
 * refused.
 */
export const FILL = defineScript(`${NOW}${EPOCH}${TAGS}${KEEP}
local at, stored = 2, { 'stored' }
for i = 3, #KEYS, 2 do
  local last = at + 4 + ARGV[at + 4]
  local tags = versionsOf(at + 5, last)
  stored[#stored + 1] = keep(KEYS[i], KEYS[i + 1], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tags)
  at = last + 1
end
return stored`)

/**
 * KEYS meta, load. ARGV epoch, token, error, throttleMs. Tells who asks within throttleMs that the load has failed: what
 * one version cannot load another can, as while a deploy goes on. Of no effect when the lease is another's.
 */
export const FAIL = defineScript(`${EPOCH}${HOLDER}
if holderOf(KEYS[2]) ~= ARGV[2] then return { 'refused' } end${ALLOW_FULL}
redis.call('SET', KEYS[2], '!' .. ARGV[3], 'PX', ARGV[4])
return { 'stored' }`)

/**
 * KEYS meta, tags, and all of answers and their loads. ARGV epoch, versions of shapes, channel, message, tags… Removes
 * answers with their leases, gives tags new versions, and tells every process, in one step. Whose versions are not those
 * in use is told the epoch: answers of the others would stay.
 */
export const DROP = defineScript(`${EPOCH}${ANOTHER}
if shapes ~= ARGV[2] then return { 'epoch', epoch } end${ALLOW_FULL}
for i = 3, #KEYS, 1000 do redis.call('DEL', unpack(KEYS, i, math.min(i + 999, #KEYS))) end
for i = 5, #ARGV do another(KEYS[2], ARGV[i]) end
local sequence = redis.call('HINCRBY', KEYS[1], 'sequence', 1)
redis.call('PUBLISH', ARGV[3], epoch .. '|' .. sequence .. '|' .. ARGV[4])
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
