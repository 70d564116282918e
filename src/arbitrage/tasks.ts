// What runs in this context; a table of contents.
import { type Bus, writeEffect } from '../bus/index.ts'
import { opportunities } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import type { Task } from '../kernel/index.ts'
import type { Execute } from './execute.ts'
import { recordOpportunity } from './record.ts'

/** Executes opportunities, one of a symbol at a time. */
export const executorTask = (bus: Bus, execute: Execute): Task =>
  bus.consume({
    stream: opportunities,
    group: 'executors',
    order: 'key',
    // Its orders may be at the venue: however often executors die over it, it is never given up.
    crashesMax: Number.POSITIVE_INFINITY,
    handle: (entry, { signal }) => execute(entry.data, signal),
  })

/** Keeps every opportunity for those who look back. */
export const recorderTask = (bus: Bus, database: Database): Task =>
  bus.consume({
    stream: opportunities,
    group: 'recorder',
    order: 'key',
    crashesMax: Number.POSITIVE_INFINITY,
    // What it writes is the same whoever writes it and in whatever order.
    handle: ({ data }) => writeEffect(database, undefined, (tx) => recordOpportunity(tx, data)),
  })
