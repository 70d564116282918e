// One file of spilled batches: written at its end, read from its beginning.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { TickBatch } from './batch.ts'
import { batchOfRecord, HEADER_BYTES, headerOf, MAGIC } from './spill-record.ts'

/** What stands at a place of the file. */
export type Found =
  | { readonly batch: TickBatch; readonly bytes: number }
  /** So many bytes that are no record; `inside` when whole records follow. */
  | { readonly cut: number; readonly inside: boolean }

export interface Segment {
  readonly path: string
  /** Bytes of whole records that are safe on the disk. */
  size(): number
  /** Resolves with their bytes when they are safe. When it rejects, the file is to be written no more. */
  append(records: readonly Buffer[]): Promise<number>
  read(offset: number): Promise<Found>
  close(): Promise<void>
  /** Closes and deletes it. */
  remove(): Promise<void>
}

/** A new, empty file. */
export async function createSegment(path: string): Promise<Segment> {
  const handle = await open(path, 'wx+')
  const segment = openSegment(path, 0, handle)
  try {
    // Without it a power cut may leave a file that no folder knows.
    await syncFolder(dirname(path))
  } catch (error) {
    await segment.remove()
    throw error
  }
  return segment
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** One that was left; with the number of its ticks as far as its headers can be followed. */
export function leftSegment(path: string): { readonly segment: Segment; readonly ticks: number } {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const bytes = Buffer.alloc(HEADER_BYTES)
    let ticks = 0
    for (let at = 0; at < size; ) {
      const header = readSync(file, bytes, 0, HEADER_BYTES, at) === HEADER_BYTES ? headerOf(bytes) : undefined
      if (!header || at + header.bytes > size) break
      ticks += header.count
      at += header.bytes
    }
    return { segment: openSegment(path, size), ticks }
  } finally {
    closeSync(file)
  }
}

function openSegment(path: string, sizeThen: number, handleThen?: FileHandle): Segment {
  let size = sizeThen
  let handle = handleThen
  const opened = async () => {
    handle ??= await open(path, 'r+')
    return handle
  }
  const bytesAt = async (offset: number, length: number): Promise<Buffer> => {
    const file = await opened()
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)))
    let done = 0
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  }
  const close = async () => {
    const closing = handle
    handle = undefined
    await closing?.close()
  }
  return {
    path,
    size: () => size,
    async append(records) {
      const file = await opened()
      const bytes = records.length === 1 ? records[0]! : Buffer.concat(records)
      try {
        let done = 0
        while (done < bytes.length) {
          done += (await file.write(bytes, done, bytes.length - done, size + done)).bytesWritten
        }
        await file.datasync()
        size += bytes.length
        return bytes.length
      } catch (error) {
        // What is half written would look like the torn end of a crash; the error itself is what matters.
        await file.truncate(size).catch(() => {})
        throw error
      }
    },
    async read(offset) {
      const header = headerOf(await bytesAt(offset, HEADER_BYTES))
      const record = header && (await bytesAt(offset, header.bytes))
      const batch = record && batchOfRecord(record)
      if (batch) return { batch, bytes: header.bytes }
      const rest = await bytesAt(offset, size - offset)
      const next = wholeRecordIn(rest)
      if (next !== undefined) return { cut: next, inside: true }
      await (await opened()).truncate(offset)
      size = offset
      return { cut: rest.length, inside: false }
    },
    close,
    async remove() {
      await close()
      await rm(path, { force: true })
    },
  }
}

/** Where the first whole record behind the beginning begins. */
function wholeRecordIn(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(MAGIC, 1); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (batchOfRecord(bytes.subarray(at))) return at
  }
  return undefined
}
