// What an import of recorded files must store, counted by other means than its own: whole files through JSON.parse,
// times by Date.parse and the digits behind, bad ticks by the rules as they are written in words.
import { readFileSync } from 'node:fs'
import type { Tick } from '../../src/ticks/tick.ts'

interface Recorded {
  broker_id: string
  symbol: string
  bid: number
  ask: number
  timestamp: string
  lp: string
}

export interface Expected {
  readonly read: number
  readonly reasons: Record<string, number>
  /** By symbol, in the order of (time, nanos, source, sequence). */
  readonly stored: ReadonlyMap<string, Tick[]>
  /** Ticks with the symbol, source and time of an earlier one. */
  readonly shared: number
}

export function expectedOf(paths: readonly string[]): Expected {
  const reasons: Record<string, number> = {}
  const stored = new Map<string, Tick[]>()
  const seen = new Map<string, number>()
  let [read, shared] = [0, 0]
  for (const path of paths) {
    for (const one of JSON.parse(readFileSync(path, 'utf8')) as Recorded[]) {
      read += 1
      const key = `${one.symbol} ${one.lp} ${one.timestamp}`
      const sequence = seen.get(key) ?? 0
      seen.set(key, sequence + 1)
      if (sequence > 0) shared += 1
      const reason = reasonOf(one)
      if (reason) reasons[reason] = (reasons[reason] ?? 0) + 1
      else listOf(stored, one.symbol).push(tickOf(one, sequence))
    }
  }
  for (const ticks of stored.values()) ticks.sort(byKey)
  return { read, reasons, stored, shared }
}

function reasonOf({ bid, ask }: Recorded): string | undefined {
  if (!(bid > 0 && ask > 0)) return 'non_positive'
  if (ask < bid) return 'crossed'
  return ask - bid > bid / 10 ? 'wide_spread' : undefined
}

function tickOf({ broker_id, symbol, bid, ask, timestamp, lp }: Recorded, sequence: number): Tick {
  const [, seconds, digits = '', zone] = /^(.{19})(?:\.(\d+))?(.+)$/.exec(timestamp)!
  const ns = digits.padEnd(9, '0')
  return {
    ...{ symbol, source: lp, time: Date.parse(`${seconds}${zone}`) + Number(ns.slice(0, 3)) },
    ...{ nanos: Number(ns.slice(3)), sequence, bid, ask, bidSize: undefined, askSize: undefined },
    ...{ volume: 0, flags: 0, broker: broker_id },
  }
}

const byKey = (a: Tick, b: Tick) =>
  a.time - b.time ||
  a.nanos - b.nanos ||
  (a.source === b.source ? a.sequence - b.sequence : a.source < b.source ? -1 : 1)

function listOf(stored: Map<string, Tick[]>, symbol: string): Tick[] {
  const list = stored.get(symbol) ?? []
  stored.set(symbol, list)
  return list
}
