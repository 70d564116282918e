// What a test must be: it claims something, it runs, and nothing keeps the others from running.
import type { SourceFile, Violation } from './files.ts'
import { lineCounter, scan } from './scan.ts'

const FOCUS = /(?<![.\w])(?:it|test|describe)\.(?:only|skip|todo|fails)\b/g
const TEST = /(?<![.\w])(?:it|test)(?:\.(?:each|for|concurrent|skipIf|runIf|prop))?\s*\(/g
// `eventually` throws with what it saw when its condition does not come true.
const CLAIM = /\b(?:expect|assert|check|prove|demand|eventually)\w*\s*[.(<]/

export function checkTests(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap(({ path, text }) => {
      const { code } = scan(text)
      const lineOf = lineCounter(text)
      const focused = [...code.matchAll(FOCUS)].map((match) => ({
        path,
        line: lineOf(match.index),
        what: `${match[0]} leaves tests out`,
      }))
      const empty = [...code.matchAll(TEST)]
        .map((match) => ({ at: match.index, body: callAt(code, match.index + match[0].length - 1) }))
        .filter(({ body }) => !CLAIM.test(body))
        .map(({ at }) => ({ path, line: lineOf(at), what: 'a test without expect proves nothing' }))
      return [...focused, ...empty]
    })
}

/** The text of a call from its opening parenthesis on, with the calls chained to it: `it.skipIf(…).each(…)('…', …)`. */
function callAt(code: string, open: number): string {
  let end = closing(code, open)
  for (;;) {
    const next = /^(?:\.\w+)?\(/.exec(code.slice(end + 1, end + 40))
    if (!next) return code.slice(open, end + 1)
    end = closing(code, end + next[0].length)
  }
}

function closing(code: string, open: number): number {
  let depth = 0
  for (let i = open; i < code.length; i++) {
    if (code[i] === '(') depth++
    if (code[i] === ')' && --depth === 0) return i
  }
  return code.length
}
