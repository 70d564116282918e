// The job queues at /queues on bull-board, read-only: the console changes nothing (see guard.ts). The board is a
// server of its own that is loaded when somebody first looks, because with BullMQ it takes 20 MB, and a gateway at
// rest shall stay under 130.
import type { Queue } from 'bullmq'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../kernel/index.ts'
import { guard } from './guard.ts'
import { answerFailures } from './refusals.ts'
import { openServer } from './server.ts'

export interface BoardOptions {
  readonly host: string
  readonly queues: () => Promise<readonly Queue[]>
  readonly log: Logger
}

export function queues(server: FastifyInstance, options: BoardOptions): void {
  let board: Promise<FastifyInstance> | undefined
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    board ??= openBoard(options)
    try {
      const opened = await board
      reply.hijack()
      opened.routing(request.raw, reply.raw)
    } catch (error) {
      // The next look tries again.
      board = undefined
      throw error
    }
  }
  server.get('/queues', answer)
  server.get('/queues/*', answer)
  server.addHook('onClose', async () => (await board)?.close())
}

async function openBoard({ host, queues: shown, log }: BoardOptions): Promise<FastifyInstance> {
  const [{ createBullBoard }, { BullMQAdapter }, { FastifyAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/fastify'),
  ])
  const adapter = new FastifyAdapter()
  createBullBoard({
    queues: (await shown()).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    // npm installs two patch releases of bull-board's api, whose classes differ in type only.
    serverAdapter: adapter as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
    options: { uiConfig: { boardTitle: 'Sluice jobs' } },
  })
  adapter.setBasePath('/queues')
  const board = openServer()
  guard(board, { host, token: '', log })
  answerFailures(board, log)
  await board.register(adapter.registerPlugin(), { prefix: '/queues' })
  await board.ready()
  return board
}
