// What the lock servers run. Beside the key stands the queue of those who wait for it: a sorted set of members by
// their ticket. The queue is fairness only; who holds the key is decided by the key, and by a majority of servers.
import { defineScript } from '../redis/index.ts'

/** The keys of a lock on each server, all under one hash tag; the scripts below take them in this order. */
export const lockKeys = (key: string) => [key, `${key}:queue`, `${key}:turn`] as const

// A waiter says every half second at the latest that it is still there; a queue without any is no queue.
const QUEUE_MS = 5_000

// `heir(me)` answers whose turn it is, or nothing when nobody waits, and tells a waiter whose turn has just come. A
// member is `<channel>/<id>`. Nobody listens on the channel: its process is gone, the next one follows at once. Told
// and not taken in time: the process stands still, or the message was lost and it will put itself back in front.
// A number is formatted, since Lua would write a time as 1.79e+15.
const HEIR = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function heir(me, patienceMs, counted)
  local turn = redis.call('GET', KEYS[3])
  while true do
    local head = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not head or head == me then return head end
    local at = turn and string.match(turn, '^(%d+) ')
    if at and string.sub(turn, #at + 2) == head then
      if now() - at < patienceMs * 1000 then return head end
    else
      local channel, id = string.match(head, '^(.*)/([^/]*)$')
      if redis.call('PUBLISH', channel, id .. ' ' .. KEYS[1]) > 0 or counted == '0' then
        redis.call('SET', KEYS[3], string.format('%.0f ', now()) .. head, 'PX', ${QUEUE_MS})
        return head
      end
    end
    redis.call('ZREM', KEYS[2], head)
    turn = false
  end
end
`

/**
 * ARGV: value, lifetime, member ('' does not wait), ticket ('' has none yet), patience, whether PUBLISH counts all
 * listeners. Answers 1 when the key is ours; 0 when it is not and we do not wait; else our ticket, how many stand in
 * front, and the time after which the key is free, ms.
 */
export const LOCK = defineScript(`${HEIR}
local value, lifeMs, member, ticket, patienceMs, counted = unpack(ARGV)
local function take()
  redis.call('SET', KEYS[1], value, 'PX', lifeMs)
  return 1
end
if redis.call('EXISTS', KEYS[1], KEYS[2]) == 0 then return take() end

if ticket ~= '' then redis.call('ZADD', KEYS[2], ticket, member) end
local freeMs = redis.call('PTTL', KEYS[1])
if freeMs == -2 then
  local first = heir(member, patienceMs, counted)
  if not first or first == member then
    redis.call('ZREM', KEYS[2], member)
    redis.call('DEL', KEYS[3])
    return take()
  end
end
if member == '' then return 0 end

if ticket == '' then
  -- Behind everybody, also when this server's clock is behind the one that gave the last ticket.
  local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
  ticket = string.format('%.0f', math.max(now(), (last or 0) + 1))
  redis.call('ZADD', KEYS[2], ticket, member)
end
redis.call('PEXPIRE', KEYS[2], ${QUEUE_MS})
-- A key without an end is not ours, and nobody knows when it goes.
return {ticket, redis.call('ZRANK', KEYS[2], member), freeMs == -1 and ${QUEUE_MS} or math.max(freeMs, 0)}
`)

/**
 * ARGV: value ('' for a waiter that leaves), member ('' has none), ticket ('' leaves the queue, else keeps its place
 * there), patience, whether PUBLISH counts all listeners. Deletes the key if it is ours and tells who comes next, in
 * one step; 1 when it was ours.
 */
export const RELEASE = defineScript(`${HEIR}
local value, member, ticket, patienceMs, counted = unpack(ARGV)
local mine = 0
if value ~= '' and redis.call('GET', KEYS[1]) == value then
  mine = redis.call('DEL', KEYS[1])
end
if ticket ~= '' then
  redis.call('ZADD', KEYS[2], ticket, member)
  redis.call('PEXPIRE', KEYS[2], ${QUEUE_MS})
elseif redis.call('EXISTS', KEYS[2]) == 0 then
  return mine
else
  redis.call('ZREM', KEYS[2], member)
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  heir(ticket ~= '' and member or '', patienceMs, counted)
end
return mine
`)

/** ARGV: value, lifetime. 1 when the key was ours and goes on. */
export const EXTEND = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)
