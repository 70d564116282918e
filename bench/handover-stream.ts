import { z } from 'zod'
import { defineStream } from '../src/bus/index.ts'

/** One key for each partition or more, so that none is silent. */
export const handoverStream = defineStream({
  name: 'handover',
  about: 'a benchmark',
  shape: z.object({ key: z.string() }),
  key: (data) => data.key,
  partitions: 16,
})
