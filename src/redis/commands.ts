// What the servers at hand can do, asked of themselves: newer commands are used only where they are known.
import type { Redis } from './connect.ts'
import { nodesOf, type RedisNode } from './nodes.ts'

type Known = Map<string, Promise<boolean>>

/** What was learned holds until the connection changes: the next server may be an older one. */
const learned = new WeakMap<object, Known>()

/**
 * True when every server behind the client knows the command, by COMMAND INFO (subcommands as `XGROUP|SETID`, from
 * Redis 7.0 on), and its option, by COMMAND DOCS (7.0). Asked once for each connection.
 */
export async function hasCommand(client: Redis, name: string, option?: string): Promise<boolean> {
  const answers = await Promise.all(nodesOf(client).map((node) => nodeHas(node, name, option)))
  return answers.length > 0 && answers.every(Boolean)
}

function nodeHas(node: RedisNode, name: string, option = ''): Promise<boolean> {
  let known = learned.get(node)
  if (!known) {
    known = new Map()
    learned.set(node, known)
    node.once('close', () => learned.delete(node))
  }
  const question = `${name} ${option}`.toLowerCase()
  let answer = known.get(question)
  if (!answer) {
    answer = ask(node, name, option)
    known.set(question, answer)
    // A failure says nothing about the server.
    answer.catch(() => learned.delete(node))
  }
  return answer
}

async function ask(node: RedisNode, name: string, option: string): Promise<boolean> {
  const [info] = (await node.call('command', 'INFO', name)) as unknown[]
  if (info === null || info === undefined) return false
  if (option === '') return true
  try {
    return holdsToken(await node.call('command', 'DOCS', name), option.toUpperCase())
  } catch (error) {
    // Before 7.0 there is no COMMAND DOCS, and what it would tell of came later.
    if (error instanceof Error && error.name === 'ReplyError') return false
    throw error
  }
}

/** The documents are nested lists, or maps in RESP3; a token stands in them as itself. */
function holdsToken(docs: unknown, token: string): boolean {
  if (typeof docs === 'string') return docs === token
  if (Array.isArray(docs)) return docs.some((part) => holdsToken(part, token))
  if (docs instanceof Map) return [...docs.values()].some((part) => holdsToken(part, token))
  if (typeof docs !== 'object' || docs === null) return false
  return Object.values(docs).some((part) => holdsToken(part, token))
}
