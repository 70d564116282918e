import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, decimal, decimalText, isSluiceError, systemClock } from '../../src/kernel/index.ts'
import type { Order, OrderResult } from '../../src/venues/index.ts'
import { describeVenue, filled, plain } from '../conformance/venue.ts'
import { drivers, openTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openPaperRig, type PaperRig, quoteOf, SYMBOL, tell } from './paper-rig.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

for (const driver of drivers) {
  describeVenue(`paper on ${driver}`, async () => openPaperRig(redis.url, await openTestDatabase(driver)))
}

describe('the paper venue', () => {
  let rig: PaperRig
  const never = new AbortController().signal
  beforeEach(async () => {
    rig = openPaperRig(redis.url, await openTestDatabase('sqlite'))
  })
  afterEach(() => rig.close())

  const at = (price: number) => ({
    bids: [[price - 1, 5] as [number, number]],
    asks: [[price, 5] as [number, number]],
  })
  const buy = (
    clientOrderId: string,
    time: number,
    decidedOn: Order['decidedOn'],
    quantity = '2',
  ): Order => ({
    clientOrderId,
    symbol: SYMBOL,
    side: 'buy',
    quantity: decimal(quantity),
    limitPrice: undefined,
    time,
    decidedOn,
  })
  const priceOf = (result: OrderResult) => result.fills[0]?.price.toNumber()

  it('fills from the last book before the order arrived, not from the one it was decided on', async () => {
    const decidedOn = await tell(rig.bus, { quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    await tell(rig.bus, { quotes: [quoteOf(at(101), 1_020)] }, 1_020)
    await tell(rig.bus, { venue: 'sim-alpha', quotes: [quoteOf(at(50), 1_020)] }, 1_020)
    await tell(rig.bus, { quotes: [quoteOf(at(102), 1_021)] }, 1_021)
    const result = await rig.open().place(buy('a', 1_000, decidedOn), never)
    expect(priceOf(result)).toBe(101)
    expect(result.fills[0]?.time).toBe(1_020)
  })

  it('waits in event time until the market is past the arrival', async () => {
    const decidedOn = await tell(rig.bus, { quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    let answered = false
    const placed = rig.open().place(buy('w', 1_000, decidedOn), never)
    const watched = placed.then(() => {
      answered = true
    })
    await tell(rig.bus, { quotes: [quoteOf(at(103), 1_010)] }, 1_010)
    await systemClock.sleep(50)
    expect(answered).toBe(false)
    await tell(rig.bus, {}, 3_601_010)
    expect(priceOf(await placed)).toBe(103)
    await watched
  })

  it('waits on the wall until the clock is past the arrival', async () => {
    let now = 1_000
    const clock: Clock = { ...systemClock, now: () => now, sleep: () => systemClock.sleep(1) }
    const decidedOn = await tell(rig.bus, { quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    let answered = false
    const placed = rig.openWith({ MARKET_TIME: 'wall' }, clock).place(buy('wall', 1_000, decidedOn), never)
    const watched = placed.then(() => {
      answered = true
    })
    now = 1_020
    await tell(rig.bus, { quotes: [quoteOf(at(104), 1_020)] }, 1_020)
    await systemClock.sleep(30)
    expect(answered).toBe(false)
    now = 1_021
    expect(priceOf(await placed)).toBe(104)
    await watched
  })

  it('says no_market when the entry it was decided on is gone or shows no book of the venue', async () => {
    const other = await tell(rig.bus, { venue: 'sim-alpha', quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    await tell(rig.bus, {}, 9_000)
    const trimmed = { ...other, entry: '1-1' }
    const results = [
      await rig.open().place(buy('other', 1_000, other), never),
      await rig.open().place(buy('gone', 1_000, trimmed), never),
    ]
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: 'no_market' })
  })

  it('says ambiguous when it is told to stop, and the order can be sent again', async () => {
    const decidedOn = await tell(rig.bus, { quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    const stop = new AbortController()
    const placed = rig
      .open()
      .place(buy('stopped', 1_000, decidedOn), stop.signal)
      .catch((error) => error)
    stop.abort()
    expect(isSluiceError(await placed, 'ORDER_AMBIGUOUS')).toBe(true)
    expect(await rig.open().find('stopped', never)).toBeUndefined()
    await tell(rig.bus, {}, 9_000)
    expect((await rig.open().place(buy('stopped', 1_000, decidedOn), never)).status).toBe('filled')
  })

  it('says ambiguous, not rejected, while Redis is away', async () => {
    const decidedOn = await tell(rig.bus, { quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    await tell(rig.bus, {}, 9_000)
    await redis.kill()
    const lost = await rig
      .open()
      .place(buy('away', 1_000, decidedOn), never)
      .catch((error) => error)
    await redis.restart()
    expect(isSluiceError(lost, 'ORDER_AMBIGUOUS')).toBe(true)
    const result = await eventually(() => rig.open().place(buy('away', 1_000, decidedOn), never))
    expect(priceOf(result)).toBe(100)
  })

  it('rejects, fills in part and stays silent at the given rates, for the same orders every time', async () => {
    const decidedOn = await tell(rig.bus, { quotes: [quoteOf(at(100), 1_000)] }, 1_000)
    await tell(rig.bus, {}, 9_000)
    const venue = rig.openWith({ PAPER_REJECT_RATE: 0.2, PAPER_PARTIAL_RATE: 0.25 })
    const reasons: Record<string, number> = {}
    for (let i = 0; i < 300; i += 1) {
      const result = await venue.place(buy(`rate${i}`, 1_000, decidedOn), never)
      const key = result.reason ?? result.status
      reasons[key] = (reasons[key] ?? 0) + 1
      if (result.status === 'partial') {
        expect(filled(result).lt(2) && filled(result).gt(0)).toBe(true)
        expect(decimalText(filled(result).times(100_000).mod(1))).toBe('0')
      }
    }
    expect(reasons['rejected']).toBeGreaterThan(40)
    expect(reasons['rejected']).toBeLessThan(80)
    expect(reasons['partial']).toBeGreaterThan(40)
    expect(reasons['partial']).toBeLessThan(80)
    const place = await openTestDatabase('sqlite')
    const again = openPaperRig(redis.url, place)
    try {
      const other = again.openWith({ PAPER_REJECT_RATE: 0.2, PAPER_PARTIAL_RATE: 0.25 })
      for (let i = 0; i < 20; i += 1) {
        const order = buy(`rate${i}`, 1_000, decidedOn)
        expect(plain(await other.place(order, never))).toEqual(plain(await venue.find(`rate${i}`, never)))
      }
    } finally {
      await again.close()
    }
  })
})
