// What the lock servers run. Beside the key stands the queue of those who wait for it: a sorted set of members by
// their ticket. The queue is fairness only; who holds the key is decided by the key, and by a majority of servers.
import { defineScript, type Script } from '../redis/index.ts'

/** The keys of a lock on each server, all under one hash tag; the scripts below take them in this order. */
export const lockKeys = (key: string) => [key, `${key}:queue`, `${key}:turn`] as const

// A waiter says every half second at the latest that it is still there; a queue without any is no queue.
const QUEUE_MS = 5_000

// `heir(me)` answers whose turn it is, or nothing when nobody waits, and tells a waiter whose turn has just come. A
// member is `<channel>/<id>`. Nobody listens on the channel: its process is gone, the next one follows at once. Told
// and not taken in time: the process stands still, or the message was lost and it will put itself back in front.
// A number is formatted, since Lua would write a time as 1.79e+15.
const heir = ({ patienceMs, countsAll }: ScriptOptions) => `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function heir(me)
  local turn = redis.call('GET', KEYS[3])
  while true do
    local head = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not head or head == me then return head end
    local at = turn and string.match(turn, '^(%d+) ')
    if at and string.sub(turn, #at + 2) == head then
      local waited = now() - at
      -- Below 0 after a jump of the server's clock, which must not keep the turn with one who stands still.
      if waited >= 0 and waited < ${patienceMs * 1000} then return head end
    else
      local channel, id = string.match(head, '^(.*)/([^/]*)$')
      if redis.call('PUBLISH', channel, id .. ' ' .. KEYS[1]) > 0 or ${!countsAll} then
        redis.call('SET', KEYS[3], string.format('%.0f ', now()) .. head, 'PX', ${QUEUE_MS})
        return head
      end
    end
    redis.call('ZREM', KEYS[2], head)
    turn = false
  end
end
`

// ARGV: value, lifetime; of a waiter also its member and its ticket ('' has none yet). Answers 1 when the key is ours,
// 0 when it is not and we do not wait; else our ticket, how many stand in front, and when the key is free, ms.
const lock = (options: ScriptOptions) => `
if redis.call('EXISTS', KEYS[1], KEYS[2]) == 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
${heir(options)}
local member, ticket = ARGV[3], ARGV[4]
if member and ticket ~= '' then redis.call('ZADD', KEYS[2], ticket, member) end
local freeMs = redis.call('PTTL', KEYS[1])
if freeMs == -2 then
  local first = heir(member)
  if not first or first == member then
    if first then redis.call('ZREM', KEYS[2], member) end
    redis.call('DEL', KEYS[3])
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
  end
end
if not member then return 0 end

if ticket == '' then
  -- Behind everybody, also when this server's clock is behind the one that gave the last ticket.
  local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
  ticket = string.format('%.0f', math.max(now(), (last or 0) + 1))
  redis.call('ZADD', KEYS[2], ticket, member)
end
redis.call('PEXPIRE', KEYS[2], ${QUEUE_MS})
-- A key without an end is not ours, and nobody knows when it goes.
return {ticket, redis.call('ZRANK', KEYS[2], member), freeMs == -1 and ${QUEUE_MS} or math.max(freeMs, 0)}
`

// ARGV: value ('' of a waiter that leaves); of a waiter also its member and its ticket ('' leaves the queue, else it
// keeps its place). Deletes the key if it is ours and tells who comes next, in one step; 1 when it was ours.
const release = (options: ScriptOptions) => `
local mine = 0
if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) == ARGV[1] then
  mine = redis.call('DEL', KEYS[1])
end
local member, ticket = ARGV[2], ARGV[3]
local stays = member and ticket ~= ''
if not stays and redis.call('EXISTS', KEYS[2]) == 0 then return mine end
${heir(options)}
if stays then
  redis.call('ZADD', KEYS[2], ticket, member)
  redis.call('PEXPIRE', KEYS[2], ${QUEUE_MS})
elseif member then
  redis.call('ZREM', KEYS[2], member)
end
if redis.call('EXISTS', KEYS[1]) == 0 then heir(stays and member) end
return mine
`

// ARGV: value, lifetime. 1 when the key was ours and goes on.
const extend = () => `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`

export interface ScriptOptions {
  readonly patienceMs: number
  /** False in a cluster, where PUBLISH counts the listeners of its own node only: that nobody listens says nothing. */
  readonly countsAll: boolean
}

export interface LockScripts {
  readonly lock: Script
  readonly release: Script
  readonly extend: Script
}

export const lockScripts = (options: ScriptOptions): LockScripts => ({
  lock: defineScript(lock(options)),
  release: defineScript(release(options)),
  extend: defineScript(extend()),
})
