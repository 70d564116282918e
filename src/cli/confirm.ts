// Questions to the person at the terminal. Where there is none, what would be asked must have been said with --yes.
import { createInterface } from 'node:readline/promises'
import { isatty } from 'node:tty'
import { SluiceError } from '../kernel/index.ts'

/** Somebody reads and types. */
export const isConversation = (): boolean => isatty(0) && isatty(2)

/** Whether the answer is yes. Throws USAGE where there is nobody to ask. */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!isConversation()) {
    throw new SluiceError('USAGE', `${question} There is no terminal to ask on: give --yes.`)
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(`${question} [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
