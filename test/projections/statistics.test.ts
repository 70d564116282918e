// Wins and losses over all trades, of which only the newest are read again.
import { expect, it } from 'vitest'
import { eq } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openStatistics } from '../../src/projections/statistics.ts'
import { drivers, openTestDatabase } from '../support/database.ts'

it.each(drivers)('on %s each trade is counted once, as it is now, however they came', async (driver) => {
  const test = await openTestDatabase(driver)
  let laterMs = 0
  const reader = openStatistics({ ...systemClock, monotonic: () => laterMs })
  const row = (n: number, profit: string, completedAt: number) => ({
    ...{ opportunityId: `o-${n}`, symbol: 'BTC/USDT', buyVenue: 'a', sellVenue: 'b', outcome: 'filled' },
    ...{ boughtQuantity: '1', boughtNotional: '1', soldQuantity: '1', soldNotional: '1', fees: '0' },
    ...{ profit, residualQuantity: '0', residualNotional: '0', openedAt: 1, completedAt, simulated: true },
  })
  const insert = (...rows: ReturnType<typeof row>[]) =>
    test.database.write(({ sql, t }) => sql.insert(t.trades).values(rows))
  const read = async () => (await test.database.read(reader.read)).get('USDT')
  const figures = async () => {
    const { wins, losses, winSum, lossSum } = (await read())!
    return [wins, losses, winSum.toFixed(), lossSum.toFixed()]
  }
  expect(await read()).toBeUndefined()
  await insert(row(1, '2.000000000000000001', 50), row(2, '-1', 2))
  expect(await figures()).toEqual([1, 1, '2.000000000000000001', '-1'])
  await insert(row(3, '0', 40), row(4, '1', 4))
  expect(await figures()).toEqual([2, 2, '3.000000000000000001', '-1'])
  // A fill that came late has corrected it.
  await test.database.write(({ sql, t }) =>
    sql.update(t.trades).set({ profit: '-3' }).where(eq(t.trades.opportunityId, 'o-4')),
  )
  expect(await figures()).toEqual([1, 3, '2.000000000000000001', '-4'])
  // The mean is −0.5, the sample variance of 2, −1, 0 and −3 is 13 / 3.
  expect((await read())!.sharpe).toBeCloseTo(-0.5 / Math.sqrt(13 / 3), 12)
  const anew = await test.database.read(openStatistics(systemClock).read)
  expect(anew.get('USDT')!.sharpe).toBe((await read())!.sharpe)
  // More at once than are looked at: everything is read again.
  await insert(...Array.from({ length: 1_300 }, (_, i) => row(10 + i, '1', 1_000 + i)))
  expect((await figures()).slice(0, 2)).toEqual([1_301, 3])
  // One that ended long before all of these is counted in time.
  await insert(row(5, '1', 1))
  expect((await figures())[0]).toBe(1_301)
  laterMs += 600_000
  expect((await figures())[0]).toBe(1_302)
  await test.close()
})
