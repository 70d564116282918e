// What the servers at hand can do, asked of themselves: newer commands are used only where they are known.
import type { Redis } from './connect.ts'
import { nodesOf, type RedisNode } from './nodes.ts'

/** What was learned holds until the connection changes: the next server may be an older one. */
const learned = new WeakMap<object, Map<string, Promise<boolean>>>()

/** True when every server behind the client knows the command, by COMMAND INFO. Asked once for each connection. */
export async function hasCommand(client: Redis, name: string): Promise<boolean> {
  const answers = await Promise.all(nodesOf(client).map((node) => nodeHas(node, name)))
  return answers.length > 0 && answers.every(Boolean)
}

function nodeHas(node: RedisNode, name: string): Promise<boolean> {
  let known = learned.get(node)
  if (!known) {
    known = new Map()
    learned.set(node, known)
    node.once('close', () => learned.delete(node))
  }
  let answer = known.get(name)
  if (!answer) {
    answer = ask(node, name)
    known.set(name, answer)
    // A failure says nothing about the server.
    answer.catch(() => learned.delete(node))
  }
  return answer
}

async function ask(node: RedisNode, name: string): Promise<boolean> {
  const [info] = (await node.call('command', 'INFO', name)) as unknown[]
  return info !== null && info !== undefined
}
