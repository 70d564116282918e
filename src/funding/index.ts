export { type FundingEmitter, type FundingEvents, fundingEmitter } from './events.ts'
export { contextsOf, type FundingPage, fundingHistoryOf, latestFundingOf } from './reads.ts'
export { bookFundings, type FundingOptions } from './tasks.ts'
