// Every table in SQLite, as single exports because drizzle-kit finds tables that way.
import { candles as candlesOf } from './tables/candles.ts'
import {
  cutoverChanges as cutoverChangesOf,
  cutovers as cutoversOf,
  parityDifferences as parityDifferencesOf,
  parityRuns as parityRunsOf,
} from './tables/cutover.ts'
import { assetContexts as assetContextsOf, fundingRates as fundingRatesOf } from './tables/funding.ts'
import {
  imports as importsOf,
  quarantine as quarantineOf,
  tickQuality as tickQualityOf,
} from './tables/imports.ts'
import {
  agentAnalyses as agentAnalysesOf,
  agentLearnings as agentLearningsOf,
  agentMemory as agentMemoryOf,
  conversationMessages as conversationMessagesOf,
  decisionCycles as decisionCyclesOf,
  globalScores as globalScoresOf,
  insightChanges as insightChangesOf,
  srLevels as srLevelsOf,
  traderStates as traderStatesOf,
  userPreferences as userPreferencesOf,
} from './tables/insights.ts'
import {
  cash as cashOf,
  equitySnapshots as equitySnapshotsOf,
  fills as fillsOf,
  positions as positionsOf,
  trades as tradesOf,
} from './tables/ledger.ts'
import { fences as fencesOf, inbox as inboxOf, outbox as outboxOf } from './tables/messages.ts'
import {
  executions as executionsOf,
  intents as intentsOf,
  inventory as inventoryOf,
  opportunities as opportunitiesOf,
  reservations as reservationsOf,
} from './tables/trading.ts'
import { venueOrders as venueOrdersOf } from './tables/venue.ts'
import { sqliteWords as words } from './words/sqlite.ts'

export const inbox = inboxOf(words)
export const outbox = outboxOf(words)
export const fences = fencesOf(words)
export const opportunities = opportunitiesOf(words)
export const executions = executionsOf(words)
export const intents = intentsOf(words)
export const inventory = inventoryOf(words)
export const reservations = reservationsOf(words)
export const venueOrders = venueOrdersOf(words)
export const fills = fillsOf(words)
export const positions = positionsOf(words)
export const cash = cashOf(words)
export const trades = tradesOf(words)
export const equitySnapshots = equitySnapshotsOf(words)
export const candles = candlesOf(words)
export const imports = importsOf(words)
export const quarantine = quarantineOf(words)
export const tickQuality = tickQualityOf(words)
export const cutovers = cutoversOf(words)
export const cutoverChanges = cutoverChangesOf(words)
export const parityRuns = parityRunsOf(words)
export const parityDifferences = parityDifferencesOf(words)
export const fundingRates = fundingRatesOf(words)
export const assetContexts = assetContextsOf(words)
export const insightChanges = insightChangesOf(words)
export const conversationMessages = conversationMessagesOf(words)
export const decisionCycles = decisionCyclesOf(words)
export const traderStates = traderStatesOf(words)
export const globalScores = globalScoresOf(words)
export const srLevels = srLevelsOf(words)
export const agentAnalyses = agentAnalysesOf(words)
export const agentMemory = agentMemoryOf(words)
export const userPreferences = userPreferencesOf(words)
export const agentLearnings = agentLearningsOf(words)
