// The console: page, API, health, metrics, queues, and the status line of the terminal.

import { executionTotals, latestExecutions } from '../src/arbitrage/index.ts'
import type { Source, ViewKey } from '../src/cache/index.ts'
import { ALL_VENUES, fundingHistory, STREAMS, streamNamed } from '../src/catalog/index.ts'
import {
  type Changes,
  type History,
  type HistoryFiles,
  openConsole,
  openHistory,
  type Questions,
  readReports,
  statusLine,
} from '../src/console/index.ts'
import { migrationStatus } from '../src/db/index.ts'
import { fundingHistoryOf } from '../src/funding/index.ts'
import { aborted, messageOf, type Task, VERSION } from '../src/kernel/index.ts'
import type { Platform, Worker } from '../src/platform.ts'
import { openCandleReads, openSources } from '../src/sources.ts'
import { isLive, type LiveTicks, openArchiveCalls, openLiveTicks } from '../src/ticks/index.ts'

export const worker: Worker = {
  name: 'gateway',
  about: 'answers for everyone who looks: page, API, health, metrics',
  usesDatabase: true,
  features: ['ticks', 'candles'],
  tasks(platform) {
    const { config, clock, log, jobs } = platform
    const questions = questionsOf(platform)
    const { streams, arbitrageTotals, ledgerTotals } = questions
    const write = (line: string) => log.info(line)
    const liveTicks = openLiveTicks({
      ...{ bus: platform.bus, clock, live: isLive(config), jumpPct: config.TICKS_JUMP_PCT },
      onFailure: (reason) => log.warn({ reason }, 'the newest ticks are answered from their files'),
    })
    return [
      openConsole({
        ...{ host: config.HOST, port: config.PORT, token: config.CONSOLE_TOKEN },
        ...{
          questions,
          changes: changesOf(platform),
          history: historyOf(platform, liveTicks),
          files: filesOf(platform),
        },
        ...{ queues: jobs.queues, clock, log },
      }),
      cutoverTask(platform),
      liveTicks.task,
      statusLine({ clock, everyMs: config.STATUS_EVERY_MS, streams, arbitrageTotals, ledgerTotals, write }),
    ]
  },
}

function questionsOf(platform: Platform): Questions {
  const { bus, database, views, config } = platform
  const sources = openSources(database)
  const ask = <K extends ViewKey, V>(source: Source<K, V>, key: NoInfer<K>): Promise<V> =>
    views.get(source.view, key, (signal) => source.load(key, signal))
  return {
    about: {
      version: VERSION,
      feed: config.FEED.split(':')[0] ?? '',
      database: config.DATABASE_DRIVER,
      simulated: config.FEED === 'simulated',
    },
    ready: () => readinessOf(platform),
    streams: () => Promise.all(STREAMS.map((stream) => bus.status(stream))),
    workers: async () => readReports(await platform.redis()),
    async arbitrageTotals() {
      const { opportunities, open, pending, completed, refused } = await database.read(executionTotals)
      return {
        opportunities,
        open,
        pending,
        executed: sum(completed),
        refused: sum(refused),
        refusals: refused,
      }
    },
    ledgerTotals: () => ask(sources.totals, []),
    opportunities: (limit) => ask(sources.opportunities, [limit]),
    decisions: (limit) => database.read((tx) => latestExecutions(tx, limit)),
    trades: (limit) => ask(sources.trades, [limit]),
    positions: () => ask(sources.positions, []),
    equity: (limit) => ask(sources.equity, [limit]),
    fundingRates: (venue = ALL_VENUES) => ask(sources.funding, [venue]),
    fundingHistory: (page) =>
      views.get(fundingHistory, [page.venue, page.symbol, page.before ?? '-', page.limit], () =>
        database.read((tx) => fundingHistoryOf(tx, page)),
      ),
    contexts: (venue = ALL_VENUES) => ask(sources.contexts, [venue]),
    messages: (model, limit) => ask(sources.messages, [model, limit]),
    cycle: (model) => ask(sources.cycle, [model]),
    scores: (limit) => ask(sources.scores, [limit]),
    levels: (symbol) => ask(sources.levels, [symbol]),
    deadLetters: (stream, limit, query) => bus.deadLetters(streamNamed(stream), limit, query),
    deadLetter: (stream, entry) => bus.deadLetter(streamNamed(stream), entry),
  }
}

/** Follows the phases where a store has two. */
const cutoverTask = ({ config, cutover }: Platform): Task =>
  config.TICKS_BACKEND === 'dual' || config.CANDLES_BACKEND === 'dual' ? cutover.task : aborted

function historyOf(platform: Platform, liveTicks: LiveTicks): History {
  const { database, views, clock, log, config } = platform
  return openHistory({
    ticks: () => platform.ticks,
    ...openCandleReads({ config, database, clock, views, cutover: () => platform.cutover }),
    ...{ liveTicks, config, clock, log },
  })
}

const filesOf = ({ config, cutover }: Platform): HistoryFiles => ({
  ...openArchiveCalls(config),
  async about() {
    const backend = config.TICKS_BACKEND
    if (backend !== 'dual') return { backend, phase: null }
    await cutover.ready()
    return { backend, phase: cutover.phase('ticks') }
  },
})

const changesOf = ({ bus }: Platform): Changes => ({
  replayDeadLetter: (stream, entry, data) => bus.replayDeadLetter(streamNamed(stream), entry, data),
  dropDeadLetter: (stream, entry) => bus.dropDeadLetter(streamNamed(stream), entry),
  pauseGroup: (stream, group) => bus.pauseGroup(streamNamed(stream), group),
  resumeGroup: (stream, group) => bus.resumeGroup(streamNamed(stream), group),
  seekGroup: (stream, group, to) => bus.seekGroup(streamNamed(stream), group, to),
})

async function readinessOf({ redis, database, databaseOptions }: Platform) {
  const check = async (ask: () => Promise<string>) => {
    try {
      return { ok: true, detail: await ask() }
    } catch (error) {
      return { ok: false, detail: messageOf(error) }
    }
  }
  const [redisHealth, databaseHealth, migrations] = await Promise.all([
    check(async () => `answers ${await (await redis()).ping()}`),
    check(async () => {
      await database.read(({ sql, t }) => sql.select({ id: t.outbox.id }).from(t.outbox).limit(1))
      return `${database.driver} answers`
    }),
    check(async () => {
      const { applied, pending } = await migrationStatus(databaseOptions)
      if (pending.length > 0) throw new Error(`${pending.length} migrations are not applied`)
      return `${applied.length} applied`
    }),
  ])
  return { redis: redisHealth, database: databaseHealth, migrations }
}

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0)
