// One file of ticks: what is known of it, brought up to date before each use, because another process may have
// written to it. It only grows, at its end, so what was read once stays where it is; a file that was replaced, by a copy
// or by others, is read anew.

import { statSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../kernel/index.ts'
import { addToIndex, emptyIndex, type FileIndex, type Segment } from './json-index.ts'
import { scanFile } from './json-scan.ts'
import { readTexts, tickText } from './json-text.ts'
import { tickFileError } from './sqlite-failures.ts'
import type { Tick } from './tick.ts'

/** What was cut off: the rest of a tick that was never acknowledged. */
export interface Repair {
  readonly path: string
  /** How many. */
  readonly bytes: number
}

export interface JsonFile {
  /** Undefined where there is no file. Rejects with TICKS_DAMAGED or DATABASE_UNAVAILABLE. */
  look(): Promise<Seen | undefined>
  /** Cuts off what a writer left that was killed, and closes the array. Only under the lock of the folder. */
  repair(): Promise<void>
  /** Resolves when they are on the disk; on failure they are cut off again. Only under the lock, and to a whole file. */
  append(ticks: readonly Tick[]): Promise<void>
  /**
   * Leaves out what is not kept and appends `added`, in one step: the file is another one afterwards. What is left out
   * must be whole groups of one time and source. Only under the lock.
   */
  rewrite(isKept: (tick: Tick) => boolean, added: readonly Tick[]): Promise<void>
  /**
   * The wanted ticks of segments in the order of the file; `UNSAID` where a sequence is not said. Undefined when the file
   * is not `inode` any more: a copy has replaced it since the segments were found, and they must be found anew.
   */
  read(
    inode: bigint,
    segments: readonly Segment[],
    isWanted?: (tick: Tick) => boolean,
  ): Promise<Tick[] | undefined>
}

export interface Seen {
  readonly index: FileIndex
  /** False: a writer is at work or was killed. */
  readonly isWhole: boolean
  /** Of the file that was looked at. */
  readonly inode: bigint
}

interface Stamp {
  readonly inode: bigint
  readonly size: bigint
  readonly changed: bigint
}

const OPENING = Buffer.from('[')
const CLOSING = '\n]\n'
// The last bytes of the last object tell whether the file grew or was rewritten: they hold its time and sequence.
const MARK_BYTES = 96

interface Known extends Seen {
  readonly stamp: Stamp
  readonly mark: Buffer
}

interface Open {
  readonly path: string
  readonly symbol: string
  known: Known | undefined
}

export function openJsonFile(path: string, symbol: string, onRepair: (repair: Repair) => void): JsonFile {
  const file: Open = { path, symbol, known: undefined }
  let turn: Promise<unknown> = Promise.resolve()

  /** One after another, or two of them would count the same ticks. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work).catch((error) => {
      file.known = undefined
      throw tickFileError(error, path)
    })
    turn = result.catch(() => undefined)
    return result
  }
  return {
    look: () => inTurn(() => look(file)),
    repair: () =>
      inTurn(async () => {
        const repaired = await repair(file)
        if (repaired) onRepair(repaired)
      }),
    append: (ticks) => inTurn(() => append(file, ticks)),
    rewrite: (isKept, added) => inTurn(() => rewrite(file, isKept, added)),
    read: (inode, segments, isWanted) => read(file, inode, segments, isWanted),
  }
}

async function look(file: Open): Promise<Seen | undefined> {
  const { path, symbol, known } = file
  const stamp = stampOf(path)
  if (!stamp) file.known = undefined
  if (!stamp || (known && isSame(known.stamp, stamp))) return file.known
  return using(path, 'r', async (handle) => {
    const index = known && (await hasGrown(handle, known, stamp)) ? known.index : emptyIndex(0)
    file.known = undefined
    const part = { from: index.end, to: Number(stamp.size) }
    const { end, isWhole } = await scanFile(handle, path, part, ({ text, offset, length }) =>
      addToIndex(index, readTexts(text, symbol, path, offset), offset, length),
    )
    index.end = end
    return remember(file, handle, { index, isWhole }, stamp)
  })
}

async function remember(
  file: Open,
  handle: FileHandle,
  seen: Pick<Seen, 'index' | 'isWhole'>,
  stamp: Stamp,
): Promise<Known> {
  file.known = { ...seen, inode: stamp.inode, stamp, mark: await markOf(handle, seen.index.end) }
  return file.known
}

async function repair(file: Open): Promise<Repair | undefined> {
  const seen = await look(file)
  if (!seen || seen.isWhole) return undefined
  const { path } = file
  const { index } = seen
  return using(path, 'r+', async (handle) => {
    const bytes = (await handle.stat()).size - index.end
    await handle.truncate(index.end)
    if (index.end === 0) index.end = (await handle.write(OPENING, 0, 1, 0)).bytesWritten
    await writeBehind(handle, index, CLOSING)
    await remember(file, handle, { index, isWhole: true }, stampOf(path)!)
    return { path, bytes }
  })
}

async function append(file: Open, ticks: readonly Tick[]): Promise<void> {
  const { path } = file
  const index = (await look(file))?.index ?? (await create(path))
  const lead = index.segments.length === 0 ? '\n' : ',\n'
  const text = ticks.map(tickText).join(',\n')
  await using(path, 'r+', async (handle) => {
    try {
      await writeBehind(handle, index, `${lead}${text}${CLOSING}`)
    } catch (error) {
      // What is not told to be stored must not be found as a duplicate when it comes again.
      const restored = handle.truncate(index.end).then(() => writeBehind(handle, index, CLOSING))
      await restored.catch(() => undefined)
      throw error
    }
    addToIndex(index, ticks, index.end + lead.length, Buffer.byteLength(text))
    await remember(file, handle, { index, isWhole: true }, stampOf(path)!)
  })
}

async function rewrite(file: Open, isKept: (tick: Tick) => boolean, added: readonly Tick[]): Promise<void> {
  const { path } = file
  const seen = await look(file)
  const draft = `${path}.draft`
  try {
    await using(draft, 'w', async (handle) => {
      let lead = '[\n'
      const write = async (ticks: readonly Tick[]) => {
        if (ticks.length === 0) return
        await handle.writeFile(lead + ticks.map(tickText).join(',\n'))
        lead = ',\n'
      }
      for (const segment of seen?.index.segments ?? []) {
        await write((await read(file, seen!.inode, [segment], isKept))!)
      }
      await write(added)
      await handle.writeFile(lead === ',\n' ? CLOSING : `[${CLOSING}`)
      await handle.sync()
    })
    await rename(draft, path)
  } catch (error) {
    // The disk may be full with it.
    await rm(draft, { force: true })
    throw error
  }
  await using(dirname(path), 'r', (handle) => handle.sync())
  file.known = undefined
}

/** On the disk when it resolves. */
async function writeBehind(handle: FileHandle, index: FileIndex, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  // More than a closing bracket can stand there in a file of others.
  if ((await handle.stat()).size > index.end + bytes.length) await handle.truncate(index.end)
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, index.end + at)).bytesWritten
  }
  await handle.datasync()
}

function read(
  { path, symbol }: Open,
  inode: bigint,
  segments: readonly Segment[],
  isWanted: (tick: Tick) => boolean = () => true,
): Promise<Tick[] | undefined> {
  return using(path, 'r', async (handle) => {
    if ((await handle.stat({ bigint: true })).ino !== inode) return undefined
    const found: Tick[] = []
    for (const { offset, length } of segments) {
      const bytes = Buffer.allocUnsafe(length)
      const { bytesRead } = await handle.read(bytes, 0, length, offset)
      const ticks = readTexts(bytes.toString('utf8', 0, bytesRead), symbol, path, offset)
      for (const tick of ticks) if (isWanted(tick)) found.push(tick)
    }
    return found
  })
}

async function using<T>(path: string, flags: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle
  try {
    handle = await open(path, flags)
  } catch (error) {
    throw tickFileError(error, path)
  }
  try {
    return await work(handle)
  } finally {
    await handle.close()
  }
}

/** An empty array, whose name is on the disk before anything in it is acknowledged. */
async function create(path: string): Promise<FileIndex> {
  const folder = dirname(path)
  const made = makeFolder(folder)
  await using(path, 'wx', (handle) => handle.writeFile('[\n]\n'))
  const changed = new Set([folder, dirname(folder), ...(made === undefined ? [] : [dirname(made)])])
  for (const each of changed) await using(each, 'r', (handle) => handle.sync())
  return emptyIndex(1)
}

function stampOf(path: string): Stamp | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && { inode: found.ino, size: found.size, changed: found.mtimeNs }
}

const isSame = (a: Stamp, b: Stamp): boolean =>
  a.inode === b.inode && a.size === b.size && a.changed === b.changed

async function hasGrown(
  handle: FileHandle,
  known: { stamp: Stamp; mark: Buffer; index: FileIndex },
  now: Stamp,
) {
  if (known.stamp.inode !== now.inode || known.stamp.size >= now.size) return false
  return known.mark.equals(await markOf(handle, known.index.end))
}

async function markOf(handle: FileHandle, end: number): Promise<Buffer> {
  const length = Math.min(end, MARK_BYTES)
  const mark = Buffer.alloc(length)
  await handle.read(mark, 0, length, end - length)
  return mark
}
