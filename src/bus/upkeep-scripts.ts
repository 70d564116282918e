// The scripts that keep partitions in order: trimming, forgetting, moving aside. Each touches keys of one slot only.
import { defineScript } from '../redis/index.ts'
import { BEFORE, NOW } from './lua-parts.ts'

/**
 * KEYS entries, then the checkpoints of the groups. ARGV retentionMs, maxEntries, then the groups that must have
 * acknowledged. Removes what every group has acknowledged and no fold still needs, and what is older than the
 * retention; above half of the hard limit the retention no longer counts. A registered group that does not exist
 * yet blocks trimming. Answers how many were removed.
 */
export const TRIM = defineScript(`
${NOW}
${BEFORE}
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

/**
 * KEYS of one slot. ARGV the type that each must have. Renames those of another type; answers key, type found and new
 * name of each.
 */
export const MOVE_ASIDE = defineScript(`
${NOW}
local moved = {}
for i, key in ipairs(KEYS) do
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= ARGV[i] then
    local name = string.format('%s:misplaced:%d', key, now)
    redis.call('RENAME', key, name)
    moved[#moved + 1] = { key, found, name }
  end
end
return moved`)

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
