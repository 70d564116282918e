import { describe, expect, it } from 'vitest'
import { detector, detectorEmitter } from '../../src/arbitrage/detector.ts'
import { parseBoards } from '../../src/catalog/index.ts'
import { readConfig } from '../../src/kernel/index.ts'
import { openRecording, openVenues } from '../../src/venues/index.ts'
import { recording } from '../support/recordings.ts'
import { entryOf } from './entries.ts'

const ticks = recording('ticks')

/** What detection says of the recorded FX ticks of two sources, one of which is no market. */
async function detect(environment: Record<string, string>) {
  const config = readConfig(environment)
  const events = detectorEmitter()
  const refused: Record<string, number> = {}
  events.on('refused', ({ reason, venue }) => {
    refused[`${reason} ${venue}`] = (refused[`${reason} ${venue}`] ?? 0) + 1
  })
  const fold = detector(openVenues(config), config, events)
  const state = fold.start()
  let [quotes, said] = [0, 0]
  const { steps } = await openRecording(ticks!, { boardOf: parseBoards(config.MARKET_BOARDS) })
  for await (const { time, messages } of steps()) {
    for (const message of messages) {
      quotes += message.quotes.length
      said += fold.apply(state, entryOf(message, time)).events.length
    }
  }
  return { quotes, said, refused }
}

describe.skipIf(!ticks)('detection on recorded FX ticks of a market and a random walk', () => {
  it('finds no opportunity with the settings as they are', async () => {
    const { quotes, said } = await detect({})
    expect(quotes).toBeGreaterThan(90_000)
    expect(said).toBe(0)
  })

  it('finds none either when quotes may be a minute old, and counts what it would not believe', async () => {
    const { said, refused } = await detect({ QUOTE_MAX_AGE_MS: '60000', FEE_BPS: '0' })
    expect(said).toBe(0)
    expect(refused['deviation YOFX']).toBeGreaterThan(0)
  })

  it('would find some without the gate: the gate is what refuses them', async () => {
    const loose = { VENUE_MAX_DEVIATION_PCT: '1000', VENUE_MAX_JUMP_PCT: '10000', VENUE_QUARANTINE_MS: '0' }
    expect((await detect(loose)).said).toBeGreaterThan(0)
  })
})
