// The job queues at /queues on bull-board. Read-only: the console changes nothing (see guard.ts).
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { Queue } from 'bullmq'
import type { FastifyInstance } from 'fastify'

export async function queues(server: FastifyInstance, shown: readonly Queue[]): Promise<void> {
  const adapter = new FastifyAdapter()
  createBullBoard({
    queues: shown.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    // npm installs two patch releases of bull-board's api, whose classes differ in type only.
    serverAdapter: adapter as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
    options: { uiConfig: { boardTitle: 'Sluice jobs' } },
  })
  adapter.setBasePath('/queues')
  await server.register(adapter.registerPlugin(), { prefix: '/queues' })
}
