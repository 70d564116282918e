// What a setting names is looked at before anything starts: a worker that cannot live with it would be started again
// and again, and say so in the middle of everything else.
import { access, constants } from 'node:fs/promises'
import { parseBalances } from '../arbitrage/index.ts'
import { parseBoards } from '../catalog/index.ts'
import { type Config, SluiceError } from '../kernel/index.ts'
import { openVenues } from '../venues/index.ts'

const RECORDING = 'replay:'

/** What every process can tell, whatever it runs. Throws CONFIG_INVALID. */
export function checkTexts(config: Config): void {
  parseBoards(config.MARKET_BOARDS)
  parseBalances(config.PAPER_BALANCES)
}

/** Also what is to be on this machine. Throws CONFIG_INVALID or FILE_NOT_FOUND. */
export async function checkSettings(config: Config): Promise<void> {
  openVenues(config)
  checkTexts(config)
  if (!config.FEED.startsWith(RECORDING)) return
  const path = config.FEED.slice(RECORDING.length)
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    throw new SluiceError('FILE_NOT_FOUND', `FEED names ${path}, which cannot be read.`, { path }, error)
  }
}
