// What any Venue must hold, paper or real. An implementation brings a rig that can put a book in force.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Level } from '../../src/catalog/index.ts'
import { type Decimal, decimal, decimalText, isSluiceError, ZERO } from '../../src/kernel/index.ts'
import type { Order, OrderResult, Venue } from '../../src/venues/index.ts'

export interface Book {
  readonly bids: Level[]
  readonly asks: Level[]
}

export interface VenueRig {
  /** A symbol that the venue trades; lot, minimums and tick come from its spec. */
  readonly symbol: string
  /** A handle on the venue such as another process would have: nothing is shared but the venue itself. */
  open(): Venue
  /** The same venue when it takes orders and does not answer. */
  openSilent(): Venue
  /** Puts a book in force; orders made by the returned function meet it. */
  book(book: Book): Promise<(order: OrderParts) => Order>
  close(): Promise<void>
}

export type OrderParts = Pick<Order, 'clientOrderId' | 'side' | 'quantity' | 'limitPrice'>

const BOOK: Book = {
  bids: [
    [99, 2],
    [98, 3],
  ],
  asks: [
    [101, 2],
    [102, 3],
  ],
}

/** Comparable: decimals by their text. */
export const plain = (result: OrderResult | undefined) =>
  JSON.parse(JSON.stringify(result ?? null)) as unknown
export const filled = (result: OrderResult): Decimal =>
  result.fills.reduce((s, f) => s.plus(f.quantity), ZERO)

export function describeVenue(name: string, openRig: () => Promise<VenueRig>): void {
  describe(`${name} as a venue`, () => {
    let rig: VenueRig
    const never = new AbortController().signal
    const parts = (clientOrderId: string, more: Partial<OrderParts> = {}): OrderParts => ({
      clientOrderId,
      side: 'buy',
      quantity: decimal(3),
      limitPrice: decimal(102),
      ...more,
    })
    beforeEach(async () => {
      rig = await openRig()
    })
    afterEach(() => rig.close())

    it('fills a buy from the asks and a sell from the bids, best first', async () => {
      const order = await rig.book(BOOK)
      const venue = rig.open()
      const buy = await venue.place(order(parts('b')), never)
      expect(buy.status).toBe('filled')
      expect(buy.fills.map((f) => [decimalText(f.price), decimalText(f.quantity)])).toEqual([
        ['101', '2'],
        ['102', '1'],
      ])
      const sell = await venue.place(order(parts('s', { side: 'sell', limitPrice: undefined })), never)
      expect(sell.fills.map((f) => [decimalText(f.price), decimalText(f.quantity)])).toEqual([
        ['99', '2'],
        ['98', '1'],
      ])
    })

    it('takes the fee of its spec in the quote currency', async () => {
      const order = await rig.book(BOOK)
      const venue = rig.open()
      const { fills } = await venue.place(order(parts('fee')), never)
      const { quote } = venue.spec.instrument(rig.symbol)
      for (const { price, quantity, fee, feeAsset } of fills) {
        expect(feeAsset).toBe(quote)
        expect(fee.times(10_000).eq(price.times(quantity).times(venue.spec.takerFeeBps))).toBe(true)
      }
    })

    it('never fills beyond the limit', async () => {
      const order = await rig.book(BOOK)
      const venue = rig.open()
      const some = await venue.place(order(parts('l1', { limitPrice: decimal(101) })), never)
      expect(some).toMatchObject({ status: 'partial', reason: 'limit' })
      expect(decimalText(filled(some))).toBe('2')
      const none = await venue.place(order(parts('l2', { limitPrice: decimal(100) })), never)
      expect(none).toMatchObject({ status: 'rejected', reason: 'limit', fills: [] })
    })

    it('cancels what the book cannot fill', async () => {
      const order = await rig.book(BOOK)
      const result = await rig.open().place(order(parts('x', { quantity: decimal(9) })), never)
      expect(result).toMatchObject({ status: 'partial', reason: 'no_liquidity' })
      expect(decimalText(filled(result))).toBe('5')
    })

    it('answers a second place of the same order, also through another handle, what it answered first', async () => {
      const order = await rig.book(BOOK)
      const first = await rig.open().place(order(parts('same')), never)
      const later = await rig.book({ bids: [[9, 9]], asks: [[10, 9]] })
      const again = [
        await rig.open().place(order(parts('same')), never),
        await rig.open().place(later(parts('same')), never),
      ]
      for (const answer of again) expect(plain(answer)).toEqual(plain(first))
    })

    it('has one outcome when many handles place the same order at once', async () => {
      const order = await rig.book(BOOK)
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => rig.open().place(order(parts('race')), never)),
      )
      for (const answer of answers) expect(plain(answer)).toEqual(plain(answers[0]))
      expect(plain(await rig.open().find('race', never))).toEqual(plain(answers[0]))
    })

    it('finds what was placed and nothing else', async () => {
      const order = await rig.book(BOOK)
      const placed = await rig.open().place(order(parts('known')), never)
      expect(plain(await rig.open().find('known', never))).toEqual(plain(placed))
      expect(await rig.open().find('unknown', never)).toBeUndefined()
    })

    it('refuses an order that breaks a limit, and keeps no trace of it', async () => {
      const order = await rig.book(BOOK)
      const venue = rig.open()
      const { lot, tick } = venue.spec.instrument(rig.symbol)
      const broken: Partial<OrderParts>[] = [
        { quantity: lot.div(2) },
        { quantity: ZERO },
        { limitPrice: decimal(101).plus(tick.div(2)) },
        { quantity: lot, limitPrice: tick },
      ]
      for (const [i, more] of broken.entries()) {
        const refused = await venue.place(order(parts(`bad${i}`, more)), never).catch((error) => error)
        expect(isSluiceError(refused, 'ORDER_INVALID')).toBe(true)
        expect(await venue.find(`bad${i}`, never)).toBeUndefined()
      }
    })

    it('refuses another order under an id that is taken', async () => {
      const order = await rig.book(BOOK)
      const venue = rig.open()
      await venue.place(order(parts('taken')), never)
      const other = order(parts('taken', { quantity: decimal(4) }))
      const refused = await venue.place(other, never).catch((error) => error)
      expect(isSluiceError(refused, 'ORDER_INVALID')).toBe(true)
    })

    it('says ambiguous when no answer comes, and tells the truth when it is asked', async () => {
      const order = await rig.book(BOOK)
      const lost = await rig
        .openSilent()
        .place(order(parts('lost')), never)
        .catch((error) => error)
      expect(isSluiceError(lost, 'ORDER_AMBIGUOUS')).toBe(true)
      const found = await rig.open().find('lost', never)
      expect(found?.status).toBe('filled')
      expect(plain(await rig.openSilent().place(order(parts('lost')), never))).toEqual(plain(found))
    })
  })
}
