// The scripts for what people look at and move by hand. Each touches keys of one partition only, which share a hash tag.
import { defineScript } from '../redis/index.ts'
import { ALLOW_FULL, BEFORE, NOW, SIZE_OF } from './lua-parts.ts'

/** The facts of the stream under KEYS[2]: its last id, and how many entries it was ever given ('' before Redis 7). */
const STREAM_FACTS = `
local top, added = '0-0', ''
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then top = info[i + 1] end
    if info[i] == 'entries-added' then added = info[i + 1] end
  end
end`

/**
 * KEYS lease, entries. ARGV after, until, count. Counts the entries behind `after` up to `until` ('+' for the end), at
 * most `count` in one call so that Redis is not held up. Answers how many, the first and the last of them, and how
 * many entries the stream was ever given.
 */
export const COUNT = defineScript(`${STREAM_FACTS}
local found = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], ARGV[2], 'COUNT', ARGV[3])
local size = #found
if size == 0 then return { 0, '', '', added } end
return { size, found[1][1], found[size][1], added }`)

/**
 * KEYS lease, entries, checkpoint, meta. ARGV group, the id after which the group reads on ('$' for the end), and how many
 * entries are in front of it ('' when that is unknown, or Redis is older than 7 and does not ask), and the name of the
 * gate without its epoch.
 * In one step, so that no consumer can be in between: the present owner is fenced by a higher epoch, all that the group
 * holds is acknowledged, its place is set, and a fold's checkpoint is removed; \`sought\` tells the fold that this was
 * meant. A place behind the end would hide what is stored until its time comes, so it becomes the end. Answers how
 * many entries were held.
 */
export const SEEK = defineScript(`
${NOW}
${BEFORE}
${STREAM_FACTS}
${ALLOW_FULL}
local group, after, read = ARGV[1], ARGV[2], ARGV[3]
if after == '$' or before(top, after) then after, read = top, added end
local held = 0
local pending = redis.pcall('XPENDING', KEYS[2], group)
if pending.err and not string.find(pending.err, 'NOGROUP') then return pending end
if pending.err then
  redis.call('XGROUP', 'CREATE', KEYS[2], group, after, 'MKSTREAM')
else
  while true do
    local some = redis.call('XPENDING', KEYS[2], group, '-', '+', 1000)
    if #some == 0 then break end
    local ids = {}
    for i, one in ipairs(some) do ids[i] = one[1] end
    held = held + redis.call('XACK', KEYS[2], group, unpack(ids))
  end
  if read == '' or added == '' then redis.call('XGROUP', 'SETID', KEYS[2], group, after)
  else redis.call('XGROUP', 'SETID', KEYS[2], group, after, 'ENTRIESREAD', read) end
end
local former = redis.call('HGET', KEYS[4], 'lease:' .. group)
if former then
  redis.call('DEL', ARGV[4] .. former)
  local epoch = math.max(tonumber(former) + 1, now)
  redis.call('HSET', KEYS[1], 'owner', '', 'epoch', epoch, 'until', 0)
  redis.call('HSET', KEYS[4], 'lease:' .. group, epoch)
  redis.call('HDEL', KEYS[4], 'seen:' .. group)
end
if redis.call('DEL', KEYS[3]) == 1 then redis.call('HSET', KEYS[3], 'sought', after) end
return held`)

/** KEYS lease, entries, checkpoint, meta. ARGV group, the name of the gate without its epoch. Forgets all about a group. */
export const REMOVE_GROUP = defineScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('XGROUP', 'DESTROY', KEYS[2], ARGV[1]) end
local epoch = redis.call('HGET', KEYS[4], 'lease:' .. ARGV[1])
if epoch then redis.call('DEL', ARGV[2] .. epoch) end
redis.call('DEL', KEYS[1], KEYS[3])
redis.call('HDEL', KEYS[4], 'lease:' .. ARGV[1], 'seen:' .. ARGV[1])
return 1`)

/**
 * KEYS dead. ARGV place, group or '' for any, count, letters to look at, bytes to look at. Looks through dead letters from
 * a place back and answers those of the group, newest first, and the place to go on from, '' at the end. What other
 * groups gave up stays where it is (2 letters below 50,000 of 1.7 KB: 0.4 s; fetched and sorted out here 1.5 s and
 * 94 MB).
 */
export const FIND_DEAD = defineScript(`${SIZE_OF}
local at, found, looked, bytes = ARGV[1], {}, 0, 0
repeat
  local some = redis.call('XREVRANGE', KEYS[1], at, '-', 'COUNT', 10)
  if #some == 0 then return { '', found } end
  for _, letter in ipairs(some) do
    local fields = letter[2]
    bytes = bytes + sizeOf(fields)
    at = '(' .. letter[1]
    local isWanted = ARGV[2] == ''
    for i = 1, isWanted and 0 or #fields, 2 do
      if fields[i] == 'group' then
        isWanted = fields[i + 1] == ARGV[2]
        break
      end
    end
    if isWanted then found[#found + 1] = letter end
    if #found >= tonumber(ARGV[3]) then break end
  end
  looked = looked + #some
until #found >= tonumber(ARGV[3]) or looked >= tonumber(ARGV[4]) or bytes >= tonumber(ARGV[5])
return { at, found }`)
