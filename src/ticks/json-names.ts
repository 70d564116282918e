// Where a symbol's ticks lie: a folder for each symbol, a file for each UTC day. A name keeps every character that all
// file systems take, so that folders which the reference made are found under their own names.
import { isTickName } from './check-tick.ts'
import { dayName, dayNumber } from './day-name.ts'

// What would be another folder, a hidden one, or refused; the percent sign itself, so that every name can be read back.
const UNSAFE = /[/\\%<>:"|?*]|^\.|[. ]$/g

export const folderOf = (symbol: string): string =>
  symbol.replace(UNSAFE, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

/** Undefined for a folder that is none of a symbol. */
export function symbolOf(folder: string): string | undefined {
  const symbol = folder.replace(/%([0-9A-F]{2})/g, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  return isTickName(symbol) && folderOf(symbol) === folder ? symbol : undefined
}

export const fileOf = (day: number): string => `${dayName(day)}.json`

/** Days since 1970; undefined for a file that is none of a day. */
export const dayOf = (file: string): number | undefined =>
  file.endsWith('.json') ? dayNumber(file.slice(0, -5)) : undefined
