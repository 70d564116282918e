// A TCP proxy between one process and Redis. It can cut its connections, delay them, hold bytes back and deliver them
// late, lose them without a word (half-open), refuse new connections, and lead to another server.
import { connect, createServer, type Socket } from 'node:net'

/** up: towards the server. */
export type Direction = 'up' | 'down' | 'both'

export interface RedisProxy {
  readonly url: string
  /** Ends all connections; with `reset` by RST. */
  cut(reset: boolean): void
  /** Later bytes wait this long. */
  delay(ms: number): void
  /** Bytes wait until `heal`, then arrive late. */
  hold(direction: Direction): void
  /** Bytes vanish; a connection that lost some ends at `heal`, as TCP gives up what it cannot deliver. */
  swallow(direction: Direction): void
  /** New connections end at once. */
  refuse(): void
  heal(): void
  /** Later connections lead there; those that exist end. */
  retarget(port: number): void
  stop(): Promise<void>
}

type Way = 'up' | 'down'

interface Pipe {
  /** What waits; undefined is the end of the stream. */
  readonly queue: { chunk: Buffer | undefined; due: number }[]
  timer: NodeJS.Timeout | undefined
  readonly to: Socket
  readonly way: Way
}

interface Link {
  readonly sockets: readonly [Socket, Socket]
  readonly pipes: readonly Pipe[]
  /** Bytes of it were lost. */
  broken: boolean
}

interface State {
  port: number
  delayMs: number
  readonly held: Set<Way>
  readonly swallowed: Set<Way>
  refusing: boolean
}

export async function openProxy(port: number): Promise<RedisProxy> {
  const state: State = { port, delayMs: 0, held: new Set(), swallowed: new Set(), refusing: false }
  const links = new Set<Link>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => undefined)
    if (state.refusing) return void client.resetAndDestroy()
    const link = join(client, state)
    links.add(link)
    client.once('close', () => links.delete(link))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as { port: number }
  const cut = (reset: boolean) => {
    for (const { sockets } of links)
      for (const socket of sockets) reset ? socket.resetAndDestroy() : socket.destroy()
  }
  const heal = () => {
    state.delayMs = 0
    state.held.clear()
    state.swallowed.clear()
    state.refusing = false
    for (const { broken, sockets, pipes } of links) {
      if (broken) for (const socket of sockets) socket.resetAndDestroy()
      else for (const pipe of pipes) pump(pipe, state)
    }
  }
  const ways = (direction: Direction): Way[] => (direction === 'both' ? ['up', 'down'] : [direction])
  return {
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    delay(ms) {
      state.delayMs = ms
    },
    hold(direction) {
      for (const way of ways(direction)) state.held.add(way)
    },
    swallow(direction) {
      for (const way of ways(direction)) state.swallowed.add(way)
    },
    refuse() {
      state.refusing = true
    },
    retarget(to) {
      state.port = to
      cut(true)
    },
    heal,
    stop() {
      // What is on its way still arrives; connections end when their client's end has come through.
      heal()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function join(client: Socket, state: State): Link {
  const server = connect({ port: state.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const up: Pipe = { queue: [], timer: undefined, to: server, way: 'up' }
  const down: Pipe = { queue: [], timer: undefined, to: client, way: 'down' }
  const link: Link = { sockets: [client, server], pipes: [up, down], broken: false }
  for (const [from, pipe] of [
    [client, up],
    [server, down],
  ] as const) {
    from.on('data', (chunk) => {
      if (state.swallowed.has(pipe.way)) link.broken = true
      else push(pipe, chunk, from, state)
    })
    // What was sent before the end still arrives, however late.
    from.once('end', () => push(pipe, undefined, from, state))
    from.once('close', () => push(pipe, undefined, from, state))
    from.on('error', () => undefined)
  }
  return link
}

function push(pipe: Pipe, chunk: Buffer | undefined, from: Socket, state: State): void {
  pipe.queue.push({ chunk, due: performance.now() + state.delayMs })
  pump(pipe, state)
  if (pipe.to.writableNeedDrain && !from.isPaused()) {
    from.pause()
    pipe.to.once('drain', () => from.resume())
  }
}

function pump(pipe: Pipe, state: State): void {
  const { queue, to, way } = pipe
  clearTimeout(pipe.timer)
  pipe.timer = undefined
  for (let next = queue[0]; next && !state.held.has(way); next = queue[0]) {
    const leftMs = next.due - performance.now()
    if (leftMs > 0) {
      pipe.timer = setTimeout(() => pump(pipe, state), Math.ceil(leftMs))
      return
    }
    queue.shift()
    if (to.destroyed) continue
    if (next.chunk) to.write(next.chunk)
    else to.destroySoon()
  }
}
