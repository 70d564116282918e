// Which processes are alive, from /proc: a test that nothing is left behind must look for itself.
import { readdirSync, readFileSync } from 'node:fs'

interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function processes(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
        // The name in parentheses may hold anything, also spaces and parentheses.
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (state === 'Z') return []
        const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid: Number(entry), parent: Number(parent), command }]
      } catch {
        return [] // ended while we looked
      }
    })
}

/** All children, their children and so on, of living ancestors. */
export function descendantsOf(pid: number): ProcessFacts[] {
  const all = processes()
  const found: ProcessFacts[] = []
  const open = [pid]
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const one of all) {
      if (one.parent !== parent) continue
      found.push(one)
      open.push(one.pid)
    }
  }
  return found
}

/** Those of the ids that are still alive. */
export function aliveOf(pids: readonly number[]): ProcessFacts[] {
  const ids = new Set(pids)
  return processes().filter(({ pid }) => ids.has(pid))
}
