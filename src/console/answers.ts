// What the console asks of the rest of the system, and what it answers. The console knows no store: the gateway
// hands these functions in, over views, so that any number of pages costs the database the same.
import type { DeadLetter, DeadLetterQuery, SeekPlace, SeekTarget, StreamStatus } from '../bus/index.ts'
import type { Bar, TickersAnswer } from '../candles/index.ts'
import type {
  ContextRow,
  CycleRow,
  EquityRow,
  FundingRow,
  LedgerTotals,
  LevelsRow,
  MessageRow,
  OpportunityRow,
  PositionRow,
  ScoreRow,
  TradeRow,
  WorkerReport,
} from '../catalog/index.ts'
import type { FundingPage } from '../funding/index.ts'
import type { ArchiveCalls, Tick, TickQuery, TickSeries } from '../ticks/index.ts'

/** What detectors saw and executors decided, in all. */
export interface ArbitrageTotals {
  readonly opportunities: number
  /** Seen and not gone yet. */
  readonly open: number
  /** Decided and not settled yet. */
  readonly pending: number
  readonly executed: number
  readonly refused: number
  /** Refused ones by reason. */
  readonly refusals: Readonly<Record<string, number>>
}

/** The one decision about an opportunity. */
export interface DecisionRow {
  readonly opportunityId: string
  readonly status: 'pending' | 'completed' | 'refused'
  /** filled, unwound, exposed or none, once completed. */
  readonly outcome: string | null
  /** Why it was refused or ended as it did; a stable word. */
  readonly reason: string | null
  readonly decidedAt: number
  readonly completedAt: number | null
}

/** Whether a part that everything needs can be used. */
export interface PartHealth {
  readonly ok: boolean
  /** What was seen, for a person; never holds a password. */
  readonly detail: string
}

export interface Readiness {
  readonly redis: PartHealth
  readonly database: PartHealth
  readonly migrations: PartHealth
}

/** What does not change while the console runs. */
export interface About {
  readonly version: string
  /** The setting FEED, without a path. */
  readonly feed: string
  readonly database: 'sqlite' | 'postgres'
  /** The feed makes its market up. */
  readonly simulated: boolean
}

/** Every list is newest first and holds at most `limit` rows. */
export interface Questions {
  readonly about: About
  ready(): Promise<Readiness>
  streams(): Promise<readonly StreamStatus[]>
  workers(): Promise<readonly WorkerReport[]>
  arbitrageTotals(): Promise<ArbitrageTotals>
  ledgerTotals(): Promise<LedgerTotals>
  opportunities(limit: number): Promise<readonly OpportunityRow[]>
  decisions(limit: number): Promise<readonly DecisionRow[]>
  trades(limit: number): Promise<readonly TradeRow[]>
  positions(): Promise<readonly PositionRow[]>
  equity(limit: number): Promise<readonly EquityRow[]>
  /** The newest of each instrument, of all venues or of one; by venue and symbol. */
  fundingRates(venue?: string): Promise<readonly FundingRow[]>
  fundingHistory(page: FundingPage): Promise<readonly FundingRow[]>
  contexts(venue?: string): Promise<readonly ContextRow[]>
  messages(model: string, limit: number): Promise<readonly MessageRow[]>
  /** The newest of a model; null without one. */
  cycle(model: string): Promise<CycleRow | null>
  /** Those that have ended may be among them. */
  scores(limit: number): Promise<readonly ScoreRow[]>
  levels(symbol: string): Promise<readonly LevelsRow[]>
  /** Of one stream, by its name in the catalog. */
  deadLetters(stream: string, limit: number, query: DeadLetterQuery): Promise<readonly DeadLetter[]>
  deadLetter(stream: string, entry: string): Promise<DeadLetter | undefined>
}

/** What the console may change for whoever has the token; streams by their names in the catalog. */
export interface Changes {
  /** With the payload `data` when it is given; false when it is not there. */
  replayDeadLetter(stream: string, entry: string, data?: string): Promise<boolean>
  dropDeadLetter(stream: string, entry: string): Promise<boolean>
  /** False when it was so already. */
  pauseGroup(stream: string, group: string): Promise<boolean>
  resumeGroup(stream: string, group: string): Promise<boolean>
  seekGroup(stream: string, group: string, to: SeekTarget): Promise<readonly SeekPlace[]>
}

/** Ticks and candles, as far back as they are kept. */
export interface History {
  ticks(query: TickQuery): Promise<readonly Tick[]>
  recentTicks(symbol: string, count: number, source?: string): Promise<readonly Tick[]>
  tickSeries(): Promise<readonly TickSeries[]>
  /** The newest `limit` bars; of the first source that has the symbol when none is named. Oldest first. */
  bars(query: {
    readonly symbol: string
    readonly source?: string | undefined
    readonly interval: Bar['interval']
    readonly limit: number
  }): Promise<readonly Bar[]>
  /** Ends early, with REQUEST_INVALID, when nobody waits for it any more. */
  tickers(query: Readonly<Record<string, unknown>>, isWanted: () => boolean): Promise<TickersAnswer>
}

/** The files in which ticks lie. */
export interface HistoryFiles extends ArchiveCalls {
  /** Where ticks are kept, and the phase that says so while there are two places. */
  about(): Promise<{ readonly backend: string; readonly phase: string | null }>
}

export interface GroupSummary {
  readonly group: string
  readonly lag: number
  readonly pending: number
  readonly oldestMs: number
  readonly members: number
  readonly paused: boolean
}

export interface StreamSummary {
  readonly stream: string
  readonly perSecond: number
  /** Entries kept now, and entries ever published. */
  readonly length: number
  readonly published: number
  readonly deadLetters: number
  readonly groups: readonly GroupSummary[]
}

/** The answer of /api/status. Money is decimal text by currency. */
export interface Status extends ArbitrageTotals, LedgerTotals, About {
  readonly time: number
  readonly uptimeMs: number
  /** Entries of `market.quotes` and events of `arbitrage.opportunities` a second, over the last seconds. */
  readonly quotesPerSecond: number
  readonly opportunitiesPerSecond: number
  /** The largest lag and age of all groups, and all dead letters. */
  readonly lag: number
  readonly oldestMs: number
  readonly deadLetters: number
  readonly workers: number
}
