// A text in the editor of the person at the terminal.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '../kernel/index.ts'

export interface EditedText {
  readonly text: string
  /** The file that holds it until it is discarded: what a person has written is not thrown away. */
  readonly path: string
  discard(): void
}

/** Throws USAGE when the editor fails or is not there. */
export async function editText(text: string, editor: string): Promise<EditedText> {
  // Only its owner may enter a folder of mkdtemp.
  const folder = mkdtempSync(join(tmpdir(), 'sluice-edit-'))
  const path = join(folder, 'payload.json')
  const discard = () => rmSync(folder, { recursive: true, force: true })
  writeFileSync(path, text)
  // As git does it: the editor is a command line, "code --wait" too.
  const child = spawn('/bin/sh', ['-c', `${editor} "$0"`, path], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) {
    discard()
    throw new SluiceError(
      'USAGE',
      `The editor (${editor}) ended with ${code}; nothing was changed. Set EDITOR.`,
    )
  }
  return { text: readFileSync(path, 'utf8'), path, discard }
}
