// Reads source text well enough for the house rules: which characters are code, comment or string. TypeScript 7 has
// no compiler API to ask, and a rule that looked at raw text would stumble over every comment that names it.

export interface Literal {
  readonly text: string
  readonly line: number
}

export interface Scanned {
  /** The text with comments and the insides of strings blanked; same length, same lines. */
  readonly code: string
  /** The text with comments blanked only. */
  readonly withStrings: string
  /** String and template literals; `${}` in a template stays as written. */
  readonly literals: readonly Literal[]
}

const REGEX_MAY_FOLLOW =
  /(^|[=(,:;!&|?{}[+\-*%<>~^]|\b(return|case|typeof|in|of|await|yield|throw|new|delete|void))\s*$/

export function scan(text: string): Scanned {
  const code = [...text]
  const withStrings = [...text]
  const literals: Literal[] = []
  const blank = (target: string[], from: number, to: number) => {
    for (let i = from; i < to; i++) if (text[i] !== '\n') target[i] = ' '
  }
  const lineOf = lineCounter(text)
  // Where a `}` ends a `${}` and the template around it goes on: depth of braces at each open template.
  const templates: { depth: number; start: number }[] = []
  let depth = 0
  let i = 0
  while (i < text.length) {
    const two = text.slice(i, i + 2)
    const at = text[i]!
    if (two === '//' || two === '/*') {
      const end = two === '//' ? indexOr(text, '\n', i) : indexOr(text, '*/', i + 2) + 2
      blank(code, i, end)
      blank(withStrings, i, end)
      i = end
    } else if (at === "'" || at === '"') {
      const end = endOfQuoted(text, i, at)
      literals.push({ text: text.slice(i + 1, end), line: lineOf(i) })
      blank(code, i + 1, end)
      i = end + 1
    } else if (at === '`' || (at === '}' && templates.at(-1)?.depth === depth)) {
      const start = at === '`' ? i : templates.pop()!.start
      const { end, open } = endOfTemplatePart(text, i + 1)
      blank(code, i + 1, end)
      if (open) templates.push({ depth, start })
      else literals.push({ text: text.slice(start + 1, end), line: lineOf(start) })
      i = end + (open ? 2 : 1)
    } else if (at === '/' && REGEX_MAY_FOLLOW.test(text.slice(Math.max(0, i - 30), i))) {
      const end = endOfRegex(text, i)
      blank(code, i + 1, end)
      i = end + 1
    } else {
      if (at === '{') depth++
      if (at === '}') depth--
      i++
    }
  }
  return { code: code.join(''), withStrings: withStrings.join(''), literals }
}

const indexOr = (text: string, what: string, from: number) => {
  const found = text.indexOf(what, from)
  return found === -1 ? text.length : found
}

function endOfQuoted(text: string, from: number, quote: string): number {
  let i = from + 1
  while (i < text.length && text[i] !== quote && text[i] !== '\n') i += text[i] === '\\' ? 2 : 1
  return i
}

function endOfTemplatePart(text: string, from: number): { end: number; open: boolean } {
  let i = from
  while (i < text.length && text[i] !== '`') {
    if (text[i] === '$' && text[i + 1] === '{') return { end: i, open: true }
    i += text[i] === '\\' ? 2 : 1
  }
  return { end: i, open: false }
}

function endOfRegex(text: string, from: number): number {
  let inClass = false
  let i = from + 1
  while (i < text.length && text[i] !== '\n' && (inClass || text[i] !== '/')) {
    if (text[i] === '[') inClass = true
    if (text[i] === ']') inClass = false
    i += text[i] === '\\' ? 2 : 1
  }
  return i
}

/** Line of an index, from 1. */
export function lineCounter(text: string): (index: number) => number {
  const starts = [0]
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return (index) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= index) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}
