// Workers log JSON for programs. For a person at a terminal each line becomes: time, worker, message, facts.
const LEVELS: Record<string, { word: string; colour: number }> = {
  warn: { word: 'WARN ', colour: 33 },
  error: { word: 'ERROR ', colour: 31 },
  fatal: { word: 'FATAL ', colour: 31 },
}

/** Fields that every line has or that repeat what the line already says. */
const HIDDEN = new Set(['level', 'time', 'pid', 'name', 'msg', 'hostname', 'err'])

export interface LineStyle {
  readonly width: number
  readonly colours: boolean
}

/** One line of a worker's output, JSON or not, as lines for a person. */
export function readableLine(worker: string, line: string, { width, colours }: LineStyle): string {
  const paint = (colour: number, text: string) => (colours ? `\u001b[${colour}m${text}\u001b[0m` : text)
  const logged = parseLog(line)
  const who = paint(36, worker.padEnd(width))
  if (!logged) return `         ${who}  ${line}`
  const time = paint(
    90,
    String(logged['time'] ?? '')
      .slice(11, 19)
      .padEnd(8),
  )
  const level = LEVELS[String(logged['level'])]
  const message = `${level?.word ?? ''}${String(logged['msg'] ?? '')}`
  const facts = Object.entries(logged)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  const text = level ? paint(level.colour, message) : message
  const head = `${time} ${who}  ${text}${facts.length > 0 ? paint(90, `  ${facts.join(' ')}`) : ''}`
  return level && logged['err'] ? `${head}\n${errorLines(logged['err'])}` : head
}

function parseLog(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'level' in value
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined // a line that only looks like JSON is shown as it is
  }
}

// A known failure says all in its sentence; only an unknown one needs its stack.
function errorLines(error: unknown): string {
  const { code, message, stack } = error as { code?: unknown; message?: unknown; stack?: unknown }
  const text =
    code === undefined && typeof stack === 'string' ? stack : `${message ?? ''} [${code ?? 'error'}]`
  return text
    .split('\n')
    .map((row) => `           ${row}`)
    .join('\n')
}
