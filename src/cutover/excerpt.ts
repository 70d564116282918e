// Two long texts, cut to where they begin to differ.

const WHOLE_MAX = 2_000
const BEFORE = 200

export function excerptsOf(legacy: string, current: string): { legacy: string; current: string } {
  let at = 0
  while (at < legacy.length && legacy[at] === current[at]) at++
  return { legacy: excerpt(legacy, at), current: excerpt(current, at) }
}

function excerpt(text: string, at: number): string {
  if (text.length <= WHOLE_MAX) return text
  const from = Math.max(0, at - BEFORE)
  const piece = text.slice(from, from + WHOLE_MAX)
  return `${from > 0 ? '…' : ''}${piece}${from + WHOLE_MAX < text.length ? '…' : ''}`
}
