// Child process of paper-kill.test.ts: places the orders of a file one after another and prints each answer.
import { readFileSync } from 'node:fs'
import { openBus } from '../../src/bus/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { decimal, systemClock } from '../../src/kernel/index.ts'
import { openPaperVenue, openVenues } from '../../src/venues/index.ts'
import { plain } from '../conformance/venue.ts'
import { QUIET, VENUE } from './paper-rig.ts'

const [redisUrl = '', options = '', file = ''] = process.argv.slice(2)
const bus = openBus({ url: redisUrl, clock: systemClock })
const database = openDatabase({ ...JSON.parse(options), clock: systemClock })
const spec = openVenues({ VENUES_FILE: '', FEE_BPS: '' }).require(VENUE)
const venue = openPaperVenue({ spec, bus, database, clock: systemClock, config: QUIET })
for (const order of JSON.parse(readFileSync(file, 'utf8'))) {
  const placed = { ...order, quantity: decimal(order.quantity), limitPrice: undefined }
  const result = await venue.place(placed, new AbortController().signal)
  process.stdout.write(`${JSON.stringify({ id: order.clientOrderId, result: plain(result) })}\n`)
}
await bus.close()
await database.close()
