// The stream and the channel of the tests of the engine.
import { z } from 'zod'
import { defineStream } from '../../src/bus/index.ts'

export const CUTOVER_CHANNEL = 'toys-changed'

export const toyStream = (name: string) =>
  defineStream<{ n: number }>({
    name,
    about: 'numbers to be written twice',
    shape: z.object({ n: z.number().int() }),
    key: ({ n }) => String(n),
    partitions: 1,
  })
