// Ports of this machine: whether one is free, and who has it when it is not.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { SluiceError } from '../kernel/index.ts'

/** Listens for a moment: resolves to the port, or to the reason why not (EADDRINUSE, EACCES, …). */
export function tryPort(port: number, host: string): Promise<{ port: number } | { refused: string }> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ refused: error.code ?? error.message }))
    server.listen({ port, host, exclusive: true }, () => {
      const { port: found } = server.address() as AddressInfo
      server.close(() => resolve({ port: found }))
    })
  })
}

/** `wanted` when it is free, otherwise any free port of 127.0.0.1. */
export async function freePort(wanted = 0): Promise<number> {
  for (const port of [wanted, 0]) {
    const tried = await tryPort(port, '127.0.0.1')
    if ('port' in tried) return tried.port
  }
  throw new SluiceError('PORT_IN_USE', 'No port of 127.0.0.1 is free.')
}

/** Throws PORT_IN_USE with what to do. */
export async function demandPort(port: number, host: string): Promise<void> {
  const tried = await tryPort(port, host)
  if ('port' in tried) return
  if (tried.refused === 'EACCES') {
    throw new SluiceError('PORT_IN_USE', `Port ${port} needs more rights. Try: PORT=8080 npm start`, { port })
  }
  if (tried.refused !== 'EADDRINUSE') {
    throw new SluiceError(
      'PORT_IN_USE',
      `Cannot listen on ${host}:${port} (${tried.refused}); see HOST and PORT.`,
      {
        port,
        host,
      },
    )
  }
  const holder = holderOf(port)
  const by = holder ? ` by ${holder.name} (pid ${holder.pid})` : ''
  const other = await freePort(port < 65_535 ? port + 1 : port - 1)
  throw new SluiceError(
    'PORT_IN_USE',
    `Port ${port} is taken${by}. Stop that, or use another: PORT=${other} npm start`,
    {
      port,
      pid: holder?.pid,
    },
  )
}

/** The process that listens on a port; known on Linux for processes that we may look at. */
function holderOf(port: number): { pid: number; name: string } | undefined {
  try {
    const hex = port.toString(16).toUpperCase().padStart(4, '0')
    const inodes = new Set<string>()
    for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        const fields = line.trim().split(/\s+/)
        if (fields[1]?.endsWith(`:${hex}`) && fields[3] === '0A') inodes.add(`socket:[${fields[9]}]`)
      }
    }
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      if (holdsSocket(pid, inodes)) {
        return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
      }
    }
  } catch {
    // No /proc, or no right to read it: the message is useful without a name.
  }
  return undefined
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))
      } catch {
        return false // closed in the meantime
      }
    })
  } catch {
    return false // ended in the meantime, or another user's
  }
}
