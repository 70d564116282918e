// The interval of a file whose name does not tell it.
import { expect, it } from 'vitest'
import { intervalOf } from '../../src/candles/import-interval.ts'

it.each([
  ['1D', ['2024-01-04', '2024-01-05', '2024-01-08', '2024-01-09', '2024-01-10']],
  ['1D', ['2024-01-10', '2024-01-09', '2024-01-08', '2024-01-05']],
  ['1D', ['2024-01-02', '2024-01-05', '2024-01-09']],
  ['1W', ['2024-01-02', '2024-01-08', '2024-01-15', '2024-01-22']],
  ['2W', ['2024-01-01', '2024-01-15', '2024-01-29']],
  ['1M', ['2024-01-02', '2024-02-01', '2024-03-01', '2024-04-01']],
  ['1h', ['2024-01-02T09:15', '2024-01-02T10:15', '2024-01-02T11:15', '2024-01-03T09:15']],
  [undefined, ['2024-01-02', '2024-04-01', '2024-07-01']],
  [undefined, ['2024-01-02T09:00', '2024-01-02T09:07', '2024-01-02T09:14']],
])('rows of a file without a telling name are %s by their distance: %j', (interval, times) => {
  const lines = times.flatMap((text) => {
    const time = Date.parse(text.length > 10 ? `${text}:00Z` : text)
    return [
      { ticker: 'A', time },
      { ticker: 'B', time },
    ]
  })
  const found = () => intervalOf('/some/prices.csv', lines)
  if (interval === undefined) expect(found).toThrow(/name it: --interval 1m/)
  else expect(found()).toBe(interval)
})
