// Bytes of a recording in constant memory, plain, gzip or zstd by what the file begins with, never by its name.
import { readBytes } from '../../imports/index.ts'
import { isSluiceError, messageOf } from '../../kernel/index.ts'
import { invalidRecording } from './recording.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  readonly text: string
}

// The largest line of the known recordings has 60 kB; a file without line breaks must not fill the memory.
const LINE_BYTES_MAX = 64 * 1024 * 1024

/** Throws FILE_NOT_FOUND, or RECORDING_INVALID for damaged compression. */
export async function* readChunks(path: string): AsyncGenerator<string> {
  const text = new TextDecoder('utf-8')
  try {
    for await (const chunk of readBytes(path, 0).chunks) yield text.decode(chunk, { stream: true })
    yield text.decode()
  } catch (error) {
    if (isSluiceError(error, 'FILE_NOT_FOUND')) throw error
    throw invalidRecording(path, `cannot be unpacked: ${messageOf(error)}`, error)
  }
}

/** Non-empty lines. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  let rest = ''
  let number = 0
  for await (const chunk of readChunks(path)) {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      const text = rest + chunk.slice(start, end)
      rest = ''
      start = end + 1
      number += 1
      if (text.trim() !== '') yield { number, text }
    }
    rest += chunk.slice(start)
    if (rest.length > LINE_BYTES_MAX) {
      throw invalidRecording(`${path} line ${number + 1}`, `is longer than ${LINE_BYTES_MAX} characters`)
    }
  }
  if (rest.trim() !== '') yield { number: number + 1, text: rest }
}
