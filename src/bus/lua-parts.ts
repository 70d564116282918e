// Pieces that several scripts of the bus begin with.

/** `now`: the server's time, ms. */
export const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

// Redis refuses what may grow memory once it is full, unless the script has written before. Without this step leases
// would run out when memory is full, and the consumers that could free it would stop.
export const ALLOW_FULL = `redis.call('PERSIST', KEYS[1])`

/** `before(a, b)`: orders Redis ids, whose parts are numbers of up to 64 bits. */
export const BEFORE = `
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end
local function before(a, b)
  local am, an = string.match(a, '(%d+)-(%d+)')
  local bm, bn = string.match(b, '(%d+)-(%d+)')
  if am ~= bm then return less(am, bm) end
  return less(an, bn)
end`

/** `sizeOf(fields)`: the bytes of all values. Whoever XADDs by himself may put the payload anywhere. */
export const SIZE_OF = `
local function sizeOf(fields)
  local size = 0
  for i = 2, #fields, 2 do size = size + #fields[i] end
  return size
end`
