// The bytes of a file from an offset on in constant memory: plain, gzip or zstd by what it begins with, never by its
// name. An offset counts decompressed bytes, so a compressed file is unpacked up to it once more.
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Transform } from 'node:stream'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { messageOf, SluiceError } from '../kernel/index.ts'

export interface ByteReader {
  /** Throws FILE_NOT_FOUND, or IMPORT_FAILED where the file cannot be read on or its compression is damaged. */
  readonly chunks: AsyncGenerator<Buffer>
  /** Bytes of the file on the disk that were read so far, those in front of the offset included. */
  done(): number
}

type Packing = 'plain' | 'gzip' | 'zstd'

const CHUNK_BYTES = 256 * 1024
// Recordings are packed with --long=27; zstd refuses windows above 2^27 unless told, and so do we above that.
const WINDOW_LOG_MAX = 27
const ZSTD_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a5

export function readBytes(path: string, offset: number): ByteReader {
  const place = { done: 0 }
  return { chunks: chunksOf(path, offset, place), done: () => place.done }
}

async function* chunksOf(path: string, offset: number, place: { done: number }): AsyncGenerator<Buffer> {
  const packing = await packingOf(path)
  try {
    if (packing === 'plain') {
      place.done = offset
      for await (const chunk of createReadStream(path, { start: offset, highWaterMark: CHUNK_BYTES })) {
        place.done += (chunk as Buffer).length
        yield chunk as Buffer
      }
    } else yield* behind(offset, packing === 'gzip' ? unpackGzip(path, place) : unpackZstd(path, place))
  } catch (error) {
    throw new SluiceError(
      'IMPORT_FAILED',
      `${path} cannot be read on: ${messageOf(error)}`,
      { path, bytes: place.done },
      error,
    )
  }
}

async function* behind(offset: number, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let left = offset
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

const unpackGzip = (path: string, place: { done: number }) =>
  unpacked(path, 0, createGunzip({ chunkSize: CHUNK_BYTES }), place)

/** Node ends at the first frame, but `pzstd`, `cat a.zst b.zst` and seekable archives make files of several. */
async function* unpackZstd(path: string, place: { done: number }): AsyncGenerator<Buffer> {
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX }
  let start = 0
  while ((await packingOf(path, start)) === 'zstd') {
    const frame = createZstdDecompress({ chunkSize: CHUNK_BYTES, params })
    yield* unpacked(path, start, frame, place)
    start += frame.bytesWritten
  }
  place.done = start
  const rest = await headOf(path, start)
  if (rest.length > 0) throw new RangeError(`what follows byte ${start} is no frame of zstd`)
}

async function* unpacked(
  path: string,
  start: number,
  unpack: Transform,
  place: { done: number },
): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { start, highWaterMark: CHUNK_BYTES })
  source.on('error', (error) => unpack.destroy(error))
  try {
    for await (const chunk of source.pipe(unpack)) {
      place.done = start + source.bytesRead
      yield chunk as Buffer
    }
  } finally {
    source.destroy()
    unpack.destroy()
  }
}

/** Of what begins at `start`. */
async function packingOf(path: string, start = 0): Promise<Packing> {
  const head = await headOf(path, start)
  const magic = head.length < 4 ? 0 : head.readUInt32LE(0)
  if (magic === ZSTD_MAGIC || magic >>> 4 === SKIPPABLE_MAGIC) return 'zstd'
  return (magic & 0xffff) === 0x8b1f ? 'gzip' : 'plain'
}

async function headOf(path: string, start: number): Promise<Buffer> {
  const head = Buffer.alloc(4)
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const { bytesRead } = await file.read(head, 0, 4, start)
    return head.subarray(0, bytesRead)
  } catch (error) {
    throw new SluiceError('FILE_NOT_FOUND', `${path} cannot be read: ${messageOf(error)}`, { path }, error)
  } finally {
    await file?.close()
  }
}
