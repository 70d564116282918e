// `sluice ticks`: what is kept, for a person and for programs.

import { once } from 'node:events'
import { createWriteStream, lstatSync, renameSync, rmSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { messageOf, SluiceError, systemClock } from '../kernel/index.ts'
import {
  TICK_CSV_HEADER,
  type Tick,
  type TickQuery,
  type TickStore,
  tickCsv,
  tickJson,
} from '../ticks/index.ts'
import { momentOf } from './moment.ts'
import { type Terminal, table } from './terminal.ts'
import { withTicks } from './tick-store.ts'

export interface TickOptions {
  readonly json?: boolean
  readonly count?: number
  readonly limit?: number
  readonly source?: string
  readonly from?: string
  readonly to?: string
  readonly day?: string
  readonly format?: string
  readonly out?: string
}

const PAGE = 10_000
const PROGRESS_EVERY = 100_000

export async function showRecent(symbol: string, options: TickOptions, terminal: Terminal): Promise<void> {
  const { count = 20, source } = options
  show(await withTicks((store) => store.recent(symbol, count, source)), symbol, terminal)
}

export async function showRange(symbol: string, options: TickOptions, terminal: Terminal): Promise<void> {
  const query = { ...queryOf(symbol, options), limit: options.limit ?? 1_000 }
  const ticks = await withTicks((store) => store.range(query))
  show(ticks, symbol, terminal)
  if (ticks.length === query.limit) terminal.note(`there may be more than ${query.limit}: --limit`)
}

/** Throws USAGE for a format that there is not, and for a file that cannot be written. */
export async function exportTicks(symbol: string, options: TickOptions, terminal: Terminal): Promise<void> {
  const { format = 'csv', out } = options
  if (format !== 'csv' && format !== 'jsonl') {
    throw new SluiceError('USAGE', `format is ${JSON.stringify(format)}; allowed: csv, jsonl.`)
  }
  const query = queryOf(symbol, options)
  const textOf = format === 'csv' ? tickCsv : (tick: Tick) => `${JSON.stringify(tickJson(tick))}\n`
  const header = format === 'csv' ? TICK_CSV_HEADER : ''
  const count = await withTicks(async (store) => {
    if (out === undefined) return writeAll(store, query, header, textOf, process.stdout, terminal)
    // The finished file takes the name, and a device or a pipe would lose it.
    if (lstatSync(out, { throwIfNoEntry: false })?.isFile() === false) {
      throw new SluiceError('USAGE', `--out ${out} is no plain file; without --out the ticks go to stdout.`, {
        out,
      })
    }
    const draft = `${out}.partial`
    const file = createWriteStream(draft)
    try {
      await once(file, 'open')
      const written = await writeAll(store, query, header, textOf, file, terminal)
      file.end()
      await finished(file)
      renameSync(draft, out)
      return written
    } catch (error) {
      file.destroy()
      rmSync(draft, { force: true })
      const isFile = typeof (error as NodeJS.ErrnoException).syscall === 'string'
      if (!isFile) throw error
      throw new SluiceError('USAGE', `--out ${out} cannot be written: ${messageOf(error)}.`, { out }, error)
    }
  })
  terminal.note(`${count} ticks of ${symbol}${out === undefined ? '' : ` are in ${out}`}`, 'exported', {
    count,
  })
}

async function writeAll(
  store: TickStore,
  query: TickQuery,
  header: string,
  textOf: (tick: Tick) => string,
  into: Writable,
  terminal: Terminal,
): Promise<number> {
  into.write(header)
  let count = 0
  let told = PROGRESS_EVERY
  for (let after: Tick | undefined; ; ) {
    const page = await store.range({ ...query, limit: PAGE, ...(after && { after }) })
    count += page.length
    if (!into.write(page.map(textOf).join(''))) await once(into, 'drain')
    if (count >= told) {
      terminal.note(`${count} ticks so far`, 'progress', { count })
      told += PROGRESS_EVERY
    }
    if (page.length < PAGE) return count
    after = page.at(-1)
  }
}

export async function showStats({ day }: TickOptions, terminal: Terminal): Promise<void> {
  const series = await withTicks((store) => store.series(day))
  if (terminal.json) {
    for (const one of series) terminal.result(one, '')
    return
  }
  const rows = series.map(({ day, symbol, source, ticks, first, last }) => [
    ...[day, symbol, source, ticks],
    ...[clockTime(first), clockTime(last)],
  ])
  const total = series.reduce((sum, { ticks }) => sum + ticks, 0)
  terminal.result(series, () =>
    rows.length === 0
      ? 'no ticks are kept yet'
      : `${table(['day', 'symbol', 'source', 'ticks', 'first', 'last'], rows)}\n${total} ticks`,
  )
}

const clockTime = (time: number) => new Date(time).toISOString().slice(11, 23)

function show(ticks: readonly Tick[], symbol: string, terminal: Terminal): void {
  if (terminal.json) {
    for (const tick of ticks) terminal.result(tickJson(tick), '')
    return
  }
  const rows = ticks.map((tick) => {
    const { timestamp, lp, bid, ask, bid_size, ask_size } = tickJson(tick)
    return [timestamp, lp, bid, ask, bid_size ?? '', ask_size ?? '']
  })
  terminal.result(ticks, () =>
    rows.length === 0
      ? `nothing of ${symbol}: sluice ticks stats shows what there is`
      : table(['time', 'source', 'bid', 'ask', 'bid size', 'ask size'], rows),
  )
}

function queryOf(symbol: string, { from = '', to, source }: TickOptions): TickQuery {
  const span = { from: momentOf('from', from), to: to === undefined ? systemClock.now() : momentOf('to', to) }
  if (span.from >= span.to)
    throw new SluiceError('USAGE', `from (${from}) is not before to (${to ?? 'now'}).`)
  return { symbol, ...span, ...(source === undefined ? {} : { source }) }
}
