// The setting MARKET_HOLIDAYS. Read here, because a wrong one stops the start of everything like any other setting.
import { SluiceError } from './errors.ts'

const FORM = 'YYYY-MM-DD, or YYYY-MM-DD@HH:MM for a day that ends early, separated by commas'
const DATE = /^(\d{4}-\d{2}-\d{2})(?:@(\d{2}):(\d{2}))?$/
const MINUTE_MS = 60_000

/**
 * Reads `2026-01-01,2026-02-16@11:30`: days without trade, and days that end at a local time. Answers the ms of each
 * day until which it is traded. Throws CONFIG_INVALID.
 */
export function parseHolidays(text: string): Map<string, number> {
  const holidays = new Map<string, number>()
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    const [, date, hours = '0', minutes = '0'] = DATE.exec(part) ?? []
    if (date === undefined || !isDate(date) || Number(hours) > 23 || Number(minutes) > 59) {
      throw new SluiceError('CONFIG_INVALID', `${FORM}; ${JSON.stringify(part)} is neither`, { part })
    }
    holidays.set(date, (Number(hours) * 60 + Number(minutes)) * MINUTE_MS)
  }
  return holidays
}

function isDate(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`)
  return Number.isFinite(time) && new Date(time).toISOString().slice(0, 10) === date
}
