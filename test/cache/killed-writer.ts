// A writer of its own process that dies in the moment between its commit and what it wanted to tell.

import { processEnvironment, readConfig } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { openPlatform } from '../../src/platform.ts'
import { aFill, told } from '../ledger/events.ts'

const platform = openPlatform(readConfig(processEnvironment()), { name: 'writer' })
const { eventId, data } = told(aFill())
await platform.database.write(async (tx) => {
  await bookEvent(tx, eventId, data)
  tx.afterCommit(() => void process.kill(process.pid, 'SIGKILL'))
})
