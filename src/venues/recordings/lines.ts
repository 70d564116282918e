// Bytes of a recording in constant memory, plain, gzip or zstd by what the file begins with, never by its name.
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Transform } from 'node:stream'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { messageOf, SluiceError } from '../../kernel/index.ts'
import { invalidRecording } from './recording.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  readonly text: string
}

// Recordings are packed with --long=27; zstd refuses windows above 2^27 unless told, and so do we above that.
const WINDOW_LOG_MAX = 27
// The largest line of the known recordings has 60 kB; a file without line breaks must not fill the memory.
const LINE_BYTES_MAX = 64 * 1024 * 1024

/** Throws FILE_NOT_FOUND, or RECORDING_INVALID for damaged compression. */
export async function* readChunks(path: string): AsyncGenerator<string> {
  const unpack = await unpackerOf(path)
  const source = createReadStream(path, { highWaterMark: 256 * 1024 })
  const stream = unpack ? source.pipe(unpack) : source
  if (unpack) source.on('error', (error) => unpack.destroy(error))
  const text = new TextDecoder('utf-8')
  try {
    for await (const chunk of stream) yield text.decode(chunk as Buffer, { stream: true })
    yield text.decode()
  } catch (error) {
    throw invalidRecording(path, `cannot be unpacked: ${messageOf(error)}`, error)
  } finally {
    source.destroy()
    unpack?.destroy()
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

async function unpackerOf(path: string): Promise<Transform | undefined> {
  const magic = Buffer.alloc(4)
  try {
    const file = await open(path, 'r')
    try {
      await file.read(magic, 0, 4, 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new SluiceError('FILE_NOT_FOUND', `${path} cannot be read: ${messageOf(error)}`, { path }, error)
  }
  if (magic.readUInt32LE(0) === 0xfd2fb528) {
    return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX } })
  }
  return magic.readUInt16BE(0) === 0x1f8b ? createGunzip() : undefined
}
