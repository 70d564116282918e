// Documents tell the truth about the code: links lead somewhere, lists are complete both ways.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, readProjectFile, type SourceFile, type Violation } from './files.ts'
import { lineCounter } from './scan.ts'

const LINK = /\[[^\]\n]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g

/** Relative links of Markdown files: the file exists, and so does the heading after `#`. */
export function checkLinks(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) => {
    const lineOf = lineCounter(text)
    return [...withoutCode(text).matchAll(LINK)]
      .filter((match) => !/^(https?|mailto):/.test(match[1]!) && !linkHolds(path, text, match[1]!))
      .map((match) => ({ path, line: lineOf(match.index), what: `the link to ${match[1]} leads nowhere` }))
  })
}

function linkHolds(path: string, text: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path : join(dirname(path), file)
  if (file !== '' && !existsSync(join(ROOT, target))) return false
  if (anchor === undefined || !target.endsWith('.md')) return true
  return headings(file === '' ? text : readProjectFile(target)).has(anchor)
}

/** Anchors as GitHub makes them. */
const headings = (text: string): Set<string> =>
  new Set(
    [...withoutCode(text).matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) =>
      match[1]!
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  )

const withoutCode = (text: string): string =>
  text.replace(/```[\s\S]*?```|`[^`\n]*`/g, (block) => block.replace(/[^\n]/g, ' '))

/** What is in one list and not in the other, told in words. */
export function compareLists(
  left: { readonly what: string; readonly names: Iterable<string> },
  right: { readonly what: string; readonly names: Iterable<string> },
): string[] {
  const [a, b] = [new Set(left.names), new Set(right.names)]
  return [
    ...[...a].filter((name) => !b.has(name)).map((name) => `${name}: in ${left.what}, not in ${right.what}`),
    ...[...b].filter((name) => !a.has(name)).map((name) => `${name}: in ${right.what}, not in ${left.what}`),
  ]
}
