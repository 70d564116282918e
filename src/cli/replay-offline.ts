// `sluice replay books <file>`: what a recording was worth, computed without any server.
import { isatty } from 'node:tty'
import { replayBooks } from '../arbitrage/index.ts'
import type { Terminal } from './terminal.ts'

interface OfflineOptions {
  readonly feeBps: number
  readonly levels: number
}

/** Throws FILE_NOT_FOUND or RECORDING_INVALID. */
export async function replayBooksFile(
  path: string,
  options: OfflineOptions,
  terminal: Terminal,
): Promise<void> {
  const showsProgress = isatty(2) && !terminal.json
  const figures = await replayBooks(path, {
    feeBps: options.feeBps,
    levels: options.levels,
    ...(showsProgress && { onProgress: (count: number) => process.stderr.write(`\r${count} snapshots`) }),
  })
  if (showsProgress) process.stderr.write('\r\u001b[K')
  terminal.result(figures, () =>
    Object.entries(figures)
      .map(([name, value]) => `${name.padEnd(14)} ${value}`)
      .join('\n'),
  )
}
