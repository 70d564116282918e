// What a command says: plain lines for a person, or one JSON value a line for a program (`--json`). Results go to
// stdout, everything about the run to stderr, so that a pipe carries results only.
import { isatty } from 'node:tty'

export interface Terminal {
  readonly json: boolean
  readonly colours: boolean
  /** A result: `text` for a person, `value` for a program. */
  result(value: unknown, text: string | (() => string)): void
  /** A line that a worker wrote, as it is. */
  line(text: string): void
  /** Progress and warnings; with `--json` an object with `event` and `message`. */
  note(message: string, event?: string, facts?: Record<string, unknown>): void
}

export function openTerminal({ json = false }: { json?: boolean | undefined } = {}): Terminal {
  return {
    json,
    colours: isatty(1),
    result(value, text) {
      process.stdout.write(`${json ? JSON.stringify(value) : typeof text === 'string' ? text : text()}\n`)
    },
    line(text) {
      process.stdout.write(`${text}\n`)
    },
    note(message, event = 'note', facts = {}) {
      process.stderr.write(`${json ? JSON.stringify({ event, message, ...facts }) : message}\n`)
    },
  }
}

/** A reader that has seen enough (`| head`) closes the pipe: that is a normal end, not an error. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const width = headers.map((header, i) =>
    Math.max(header.length, ...rows.map((row) => String(row[i] ?? '').length)),
  )
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, i) =>
        typeof cell === 'number' ? String(cell).padStart(width[i]!) : String(cell).padEnd(width[i]!),
      )
      .join('  ')
      .trimEnd()
  return [line(headers), ...rows.map(line)].join('\n')
}
