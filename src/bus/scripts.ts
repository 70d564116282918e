// Every script of the bus. Each touches keys of one partition only, which share a hash tag. Time is the server's.
import { defineScript } from '../redis/index.ts'

const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

/**
 * KEYS entries, meta, idsNew, idsOld. ARGV dedupeMs, maxEntries, then 7 for each event (EVENT_FIELDS).
 * Answers for each event its entry id, '' for a duplicate, '!' for a refusal. Ids are remembered in two sets that
 * take turns, so an id stays known for one to two dedupeMs and forgetting costs one RENAME instead of a sweep.
 * After the first refusal nothing more is added: a later event of the same key must not overtake.
 */
export const PUBLISH = defineScript(`
${NOW}
local meta = redis.call('HMGET', KEYS[2], 'sequence', 'turned')
local sequence = tonumber(meta[1]) or 0
if now - (tonumber(meta[2]) or 0) > tonumber(ARGV[1]) then
  redis.call('UNLINK', KEYS[4])
  if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
  redis.call('HSET', KEYS[2], 'turned', now)
end
local room = tonumber(ARGV[2]) - redis.call('XLEN', KEYS[1])
local answers, full = {}, false
for i = 3, #ARGV, 7 do
  local id = ARGV[i]
  if redis.call('SISMEMBER', KEYS[3], id) == 1 or redis.call('SISMEMBER', KEYS[4], id) == 1 then
    answers[#answers + 1] = ''
  elseif full or room <= 0 then
    full = true
    answers[#answers + 1] = '!'
  else
    room = room - 1
    sequence = sequence + 1
    redis.call('SADD', KEYS[3], id)
    answers[#answers + 1] = redis.call('XADD', KEYS[1], '*', 'id', id, 'source', ARGV[i + 1], 'type', ARGV[i + 2],
      'time', ARGV[i + 3], 'partitionkey', ARGV[i + 4], 'sequence', sequence, 'traceparent', ARGV[i + 5],
      'data', ARGV[i + 6])
  end
end
redis.call('HSET', KEYS[2], 'sequence', sequence)
return answers`)

/** KEYS members. ARGV member, lifeMs. Answers the living members. */
export const JOIN = defineScript(`
${NOW}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)`)

/** KEYS lease. ARGV owner, leaseMs. Answers the new epoch, or 0 while another owner's lease runs. */
export const ACQUIRE = defineScript(`
${NOW}
local lease = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'until')
local owner = lease[1]
if owner and owner ~= '' and owner ~= ARGV[1] and tonumber(lease[3]) > now then return 0 end
local epoch = (tonumber(lease[2]) or 0) + 1
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', epoch, 'until', now + tonumber(ARGV[2]))
return epoch`)

const MINE = `
local lease = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return redis.error_reply('FENCED') end`

/** KEYS lease. ARGV owner, epoch, leaseMs. Error FENCED when it is no longer mine. */
export const RENEW = defineScript(`
${NOW}${MINE}
redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[3]))
return 1`)

/** KEYS lease. ARGV owner, epoch. The epoch stays, so that the next one is higher. */
export const RELEASE = defineScript(`${MINE}
redis.call('HSET', KEYS[1], 'owner', '', 'until', 0)
return 1`)

/**
 * KEYS lease, entries. ARGV owner, epoch, group, consumer, count. Reads new entries for the owner of the partition.
 * It does not block, so that a process that was paused can never receive what belongs to its successor.
 */
export const READ_NEW = defineScript(`${MINE}
local reply = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[2], '>')
return reply and reply[1][2] or {}`)

/**
 * KEYS lease, entries. ARGV owner, epoch, group, consumer, count, after. Reads again what this consumer holds, in
 * order, with the number of times each was delivered.
 */
export const READ_HELD = defineScript(`${MINE}
local reply = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[2], ARGV[6])
local entries = reply and reply[1][2] or {}
local counts = redis.call('XPENDING', KEYS[2], ARGV[3], '(' .. ARGV[6], '+', ARGV[5], ARGV[4])
return { entries, counts }`)

/**
 * KEYS lease, entries. ARGV owner, epoch, group, consumer, cursor. Takes over what any former owner held; counts as
 * a delivery, so that an entry that kills its handler is found out. Answers the next cursor, how many, and the last
 * entry that was ever delivered to the group.
 */
export const TAKE_OVER = defineScript(`${MINE}
local reply = redis.call('XAUTOCLAIM', KEYS[2], ARGV[3], ARGV[4], 0, ARGV[5], 'COUNT', 500)
local last = '0-0'
for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local fact = {}
  for i = 1, #info, 2 do fact[info[i]] = info[i + 1] end
  if fact.name == ARGV[3] then last = fact['last-delivered-id'] end
end
return { reply[1], #reply[2], last }`)

/** KEYS lease, entries, checkpoint. ARGV owner, epoch, group, state or '', at, sequence, then entry ids. */
export const ACKNOWLEDGE = defineScript(`${MINE}
local acknowledged = 0
for i = 7, #ARGV, 1000 do
  acknowledged = acknowledged + redis.call('XACK', KEYS[2], ARGV[3], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], 'state', ARGV[4], 'at', ARGV[5], 'sequence', ARGV[6]) end
return acknowledged`)

/**
 * KEYS lease, entries, dead. ARGV owner, epoch, group, entry, then the fields of the dead letter. An empty owner
 * means a group without leases. Added only when the acknowledgement was the first one.
 */
export const BURY = defineScript(`
if ARGV[1] ~= '' then
  local lease = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
  if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return redis.error_reply('FENCED') end
end
if redis.call('XACK', KEYS[2], ARGV[3], ARGV[4]) == 0 then return '' end
return redis.call('XADD', KEYS[3], '*', unpack(ARGV, 5))`)

/**
 * KEYS entries, meta, dead. ARGV dead id, group, then the fields of the entry. Puts a dead letter back at the end of
 * its partition, for the group that gave it up only: the others have handled it. Answers '' when it is not there.
 */
export const REVIVE = defineScript(`
if redis.call('XDEL', KEYS[3], ARGV[1]) == 0 then return '' end
local sequence = redis.call('HINCRBY', KEYS[2], 'sequence', 1)
return redis.call('XADD', KEYS[1], '*', 'sequence', sequence, 'to', ARGV[2], unpack(ARGV, 3))`)

/**
 * KEYS entries, then the checkpoints of the groups. ARGV retentionMs, maxEntries, then the groups that must have
 * acknowledged. Removes what every group has acknowledged and no fold still needs, and what is older than the
 * retention; above half of the hard limit the retention no longer counts. A registered group that does not exist
 * yet blocks trimming. Answers how many were removed.
 */
export const TRIM = defineScript(`
${NOW}
local function before(a, b)
  local am, an = string.match(a, '(%d+)-(%d+)')
  local bm, bn = string.match(b, '(%d+)-(%d+)')
  if tonumber(am) ~= tonumber(bm) then return tonumber(am) < tonumber(bm) end
  return tonumber(an) < tonumber(bn)
end
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return 0 end
local floor = nil
local delivered = {}
for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local name, last
  for i = 1, #info, 2 do
    if info[i] == 'name' then name = info[i + 1] end
    if info[i] == 'last-delivered-id' then last = info[i + 1] end
  end
  delivered[name] = last
end
for i = 3, #ARGV do
  local at = delivered[ARGV[i]]
  if not at then return 0 end
  local pending = redis.call('XPENDING', KEYS[1], ARGV[i])
  if pending[1] > 0 then at = pending[2] end
  local checkpoint = redis.call('HGET', KEYS[i - 1], 'at')
  if checkpoint and before(checkpoint, at) then at = checkpoint end
  if not floor or before(at, floor) then floor = at end
end
if length <= tonumber(ARGV[2]) / 2 then
  local oldest = string.format('%d-0', now - tonumber(ARGV[1]))
  if not floor or before(oldest, floor) then floor = oldest end
elseif not floor then
  return 0
end
return redis.call('XTRIM', KEYS[1], 'MINID', floor)`)

/** KEYS entries. ARGV group, idleMs, then the living members. Removes consumers that hold nothing and are gone. */
export const FORGET_CONSUMERS = defineScript(`
local living = {}
for i = 3, #ARGV do living[ARGV[i]] = true end
local removed = 0
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) and not living[consumer.name] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return removed`)
