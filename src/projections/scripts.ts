// The scripts that write projections. Each writes a whole key, or a whole range of one, in one step: a reader sees the
// old state or the new one. An older version never replaces a newer one; the version stands beside the key, in its slot.
// A server at its `maxmemory` refuses a script its first write alone, and only one that needs room: what removes
// something first was seen to put 500 kB on top of a full server. So each asks for room before it removes anything.
import { defineScript } from '../redis/index.ts'

// Arguments of one command: far below what Lua can unpack.
const CHUNK = 1_000

/** KEYS: ticket. The server's time in µs, or one above the last: above every version that a server that forgot had given. */
export const ticketScript = defineScript(`
local time = redis.call('TIME')
local ticket = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if ticket <= last then ticket = last + 1 end
local text = string.format('%.0f', ticket)
redis.call('SET', KEYS[1], text)
return text
`)

const isOlder = `
local function isOlder(version)
  local known = tonumber(redis.call('GET', KEYS[2]) or '0')
  return known > tonumber(version)
end
local function insistOnRoom()
  redis.call('SETRANGE', KEYS[2], 0, '')
end
local function finish(version, lifetime, fence)
  if tonumber(lifetime) > 0 then redis.call('PEXPIRE', KEYS[1], lifetime) end
  redis.call('SET', KEYS[2], version, 'PX', fence)
  return 1
end
local function add(command, from)
  for at = from, #ARGV, ${CHUNK} do
    redis.call(command, KEYS[1], unpack(ARGV, at, math.min(at + ${CHUNK - 1}, #ARGV)))
  end
end
`

/** KEYS: key, version. ARGV: version, lifetime, fence, command, content. 0 when a newer one is there. */
export const putScript = defineScript(`${isOlder}
if isOlder(ARGV[1]) then return 0 end
if #ARGV > 4 then insistOnRoom() end
redis.call('DEL', KEYS[1])
add(ARGV[4], 5)
return finish(ARGV[1], ARGV[2], ARGV[3])
`)

/**
 * KEYS: draft. ARGV: lifetime, '1' to begin it, command, content. 0 when it is gone: what is added to another one would
 * be published without its beginning.
 */
export const draftScript = defineScript(`${isOlder}
if ARGV[2] ~= '1' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
add(ARGV[3], 4)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`)

/** KEYS: key, version, draft. ARGV: version, lifetime, fence. 0 when a newer one is there, -1 when the draft is gone. */
export const swapScript = defineScript(`${isOlder}
if isOlder(ARGV[1]) then
  redis.call('DEL', KEYS[3])
  return 0
end
if redis.call('EXISTS', KEYS[3]) == 0 then return -1 end
redis.call('RENAME', KEYS[3], KEYS[1])
redis.call('PERSIST', KEYS[1])
return finish(ARGV[1], ARGV[2], ARGV[3])
`)

/**
 * KEYS: key, version. ARGV: version ('' compares none), lifetime, fence, cap, from, to, '1' to begin a key, content.
 * Replaces the members of a sorted set between two scores. 0 when a newer one is there, -1 when the key is not,
 * or is of another type: one that begins replaces it.
 */
export const amendScript = defineScript(`${isOlder}
if ARGV[1] ~= '' and isOlder(ARGV[1]) then return 0 end
if #ARGV > 7 then insistOnRoom() end
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then
  if ARGV[7] ~= '1' then return -1 end
  redis.call('DEL', KEYS[1])
end
if ARGV[5] ~= '' then redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[5], ARGV[6]) end
add('ZADD', 8)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[4]))
if ARGV[1] ~= '' then return finish(ARGV[1], ARGV[2], ARGV[3]) end
if tonumber(ARGV[2]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`)

/**
 * KEYS: stream, what was appended. ARGV: cap, then id, order and content of each. Appends what is not there yet and
 * answers how many. A stream that was deleted begins again.
 */
export const appendScript = defineScript(`
redis.call('ZADD', KEYS[2], 'XX', 0, '')
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) end
local added = 0
for at = 2, #ARGV, 3 do
  if redis.call('ZADD', KEYS[2], 'NX', ARGV[at + 1], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'id', ARGV[at], 'data', ARGV[at + 2])
    added = added + 1
  end
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - 2 * tonumber(ARGV[1]))
return added
`)
