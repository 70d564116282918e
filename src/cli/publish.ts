// `sluice publish`: one quote into the input stream, exactly as an outside feed would XADD it.
import { outgoing } from '../bus/index.ts'
import { inputQuotes, quoteMessage } from '../catalog/index.ts'
import { randomId, SluiceError, systemClock } from '../kernel/index.ts'
import { withPlatform } from './connection.ts'
import type { Terminal } from './terminal.ts'

export interface PublishOptions {
  readonly bid: number
  readonly ask: number
  readonly bidSize: number
  readonly askSize: number
  /** ms UTC; default now. */
  readonly time?: number
}

/** Throws USAGE for a quote that the bridge would refuse for its numbers. */
export async function publishQuote(
  venue: string,
  symbol: string,
  { bid, ask, bidSize, askSize, time = systemClock.now() }: PublishOptions,
  terminal: Terminal,
): Promise<void> {
  const message = { venue, symbol, bid, bidSize, ask, askSize, time }
  const checked = quoteMessage.safeParse({
    venue,
    board: symbol,
    quotes: [{ symbol, bids: [[bid, bidSize]], asks: [[ask, askSize]], time }],
  })
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path, message: why }) => `${String(path.at(-1))}: ${why}`)
    throw new SluiceError('USAGE', `That is no quote: ${problems.join('; ')}`, { problems })
  }
  const [receipt] = await withPlatform(({ bus }) => bus.publish([outgoing(inputQuotes, randomId(), message)]))
  const entry = receipt!.entry
  terminal.result({ stream: inputQuotes.name, entry, ...message }, `${inputQuotes.name} ${entry}`)
}
