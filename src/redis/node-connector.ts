// How one plain connection finds the node of a cluster that owns a key, anew each time it connects. Blocking readers
// and subscribers use it: for them a plain connection is simpler than a client of the whole cluster, and it ends when
// its node does.
import { createConnection, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { RedisOptions } from 'ioredis'
import { afterMs, type RedisHost } from '../kernel/index.ts'
import type { SlotMap } from './slots.ts'

export interface NodeConnectorOptions {
  /** The nodes to ask first, before others are known. */
  readonly seeds: readonly RedisHost[]
  readonly slot: number
  readonly tls: boolean
  readonly disconnectMs: number
  /** The map as this node knows it. */
  readonly ask: (host: RedisHost) => Promise<SlotMap>
}

/** What ioredis calls a Connector; it makes one with `new`, which gives what the function returns. */
export function nodeConnector(options: NodeConnectorOptions): NonNullable<RedisOptions['Connector']> {
  function connector() {
    return openConnector(options)
  }
  return connector as unknown as NonNullable<RedisOptions['Connector']>
}

function openConnector({ seeds, slot, tls, disconnectMs, ask }: NodeConnectorOptions) {
  let known: readonly RedisHost[] = []
  let wanted = false
  let socket: Socket | undefined

  async function findOwner(): Promise<RedisHost> {
    let failure: unknown = new Error(`no node of the cluster owns slot ${slot}`)
    // Seeds may be gone for good, and nodes that were known last may be the only ones left.
    for (const host of [...known, ...seeds]) {
      try {
        const map = await ask(host)
        known = map.nodes.length > 0 ? map.nodes : known
        const owner = map.ownerOf(slot)
        if (owner) return owner
      } catch (error) {
        failure = error
      }
      if (!wanted) break
    }
    throw failure
  }

  const connector = {
    firstError: undefined as Error | undefined,
    check: () => true,
    async connect(): Promise<Socket> {
      wanted = true
      let owner: RedisHost
      try {
        owner = await findOwner()
      } catch (error) {
        connector.firstError = error as Error
        // A rejection would end the client for good; a socket that is closed already is tried again.
        return new Socket().destroy()
      }
      // Closed while it was looking.
      if (!wanted) return new Socket().destroy()
      socket = tls ? connectTls({ ...owner, servername: owner.host }) : createConnection({ ...owner })
      socket.once('error', (error) => {
        connector.firstError = error
      })
      return socket
    },
    disconnect(): void {
      wanted = false
      const ending = socket
      if (!ending || ending.destroyed) return
      const cancel = afterMs(disconnectMs, () => ending.destroy())
      ending.once('close', cancel)
      ending.end()
    },
  }
  return connector
}
