// The objects of one JSON array, one at a time: a recording of a day must not be held in memory to be read.
import { readChunks } from './lines.ts'
import { invalidRecording } from './recording.ts'

export interface Item {
  /** Position in the array, from 1. */
  readonly number: number
  readonly text: string
}

const ITEM_CHARS_MAX = 1024 * 1024

/** Throws RECORDING_INVALID when the file is not one array of objects, or ends inside of one. */
export async function* readItems(path: string): AsyncGenerator<Item> {
  const splitter = itemSplitter(path)
  for await (const chunk of readChunks(path)) yield* splitter.take(chunk)
  splitter.end()
}

interface Splitter {
  take(chunk: string): Generator<Item>
  end(): void
}

function itemSplitter(path: string): Splitter {
  let depth = 0
  let inText = false
  let escaped = false
  let parts = ''
  let number = 0
  let closed = false

  // Outside of an object only the array's own punctuation may stand.
  const outside = (char: string) => {
    if (char === '[' && number === 0 && !closed) return
    if (char === ']') closed = true
    else if (char.trim() !== '' && char !== ',') {
      throw invalidRecording(
        `${path} after item ${number}`,
        `has ${JSON.stringify(char)} outside of an object`,
      )
    }
  }

  return {
    *take(chunk) {
      let start = 0
      for (let at = 0; at < chunk.length; at += 1) {
        const char = chunk[at]!
        if (inText) {
          if (escaped) escaped = false
          else if (char === '\\') escaped = true
          else if (char === '"') inText = false
        } else if (char === '{') {
          if (depth === 0) start = at
          depth += 1
        } else if (char === '}' && depth > 0) {
          depth -= 1
          if (depth > 0) continue
          number += 1
          yield { number, text: parts + chunk.slice(start, at + 1) }
          parts = ''
        } else if (depth === 0) outside(char)
        else if (char === '"') inText = true
      }
      if (depth > 0) parts += chunk.slice(start)
      if (parts.length > ITEM_CHARS_MAX) {
        throw invalidRecording(`${path} item ${number + 1}`, `is longer than ${ITEM_CHARS_MAX} characters`)
      }
    },
    end() {
      if (depth > 0) throw invalidRecording(`${path} item ${number + 1}`, 'is cut off by the end of the file')
      if (!closed) throw invalidRecording(`${path} after item ${number}`, 'the array is not closed')
    },
  }
}
