// The map of a cluster: which of its 16,384 slots a key belongs to, and which node owns it.
import type { RedisHost } from '../kernel/index.ts'

const SLOTS = 16_384

/** CRC16 (XMODEM) of the hash tag, or of the whole key where there is none: as the servers compute it. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1
  }
  return crc % SLOTS
}

/** As CLUSTER SLOTS answers in RESP2: from, to, the master, its replicas. */
type SlotRange = [from: number, to: number, ...nodes: [host: string | null, port: number, ...unknown[]][]]

export interface SlotMap {
  /** The master of the slot; undefined while nobody owns it. */
  ownerOf(slot: number): RedisHost | undefined
  readonly nodes: readonly RedisHost[]
}

/** @param asked the node that answered: it may leave out its own host. */
export function readSlots(answer: unknown, asked: RedisHost): SlotMap {
  const ranges = answer as SlotRange[]
  const hostOf = ([host, port]: [string | null, number, ...unknown[]]): RedisHost => ({
    host: host || asked.host,
    port,
  })
  return {
    ownerOf(slot) {
      const range = ranges.find(([from, to]) => from <= slot && slot <= to)
      return range?.[2] ? hostOf(range[2]) : undefined
    },
    nodes: ranges.flatMap(([, , ...nodes]) => nodes.map(hostOf)),
  }
}
