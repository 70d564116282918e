// Batches that found no room in memory, or no disk that takes them, kept in files until the store goes on. What is
// appended is safe on the disk before it counts; what a killed process left is found by the next one that starts.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, messageOf } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import { leftFolders, makeFolder, type SpillFolder, segmentName } from './spill-folder.ts'
import { openLine, type Spilled, type SpillLine } from './spill-line.ts'
import { recordOf } from './spill-record.ts'
import { createSegment, leftSegment, type Segment, syncFolder } from './spill-segment.ts'
import type { TickEmitter } from './tick-events.ts'

export interface SpillOptions {
  /** Folder of the folders of all writers. */
  readonly root: string
  readonly clock: Clock
  readonly events: TickEmitter
  /** A file is continued in another when it is this long. Default: 64 MiB. */
  readonly segmentBytes?: number
}

export interface Spill {
  /** Ticks in the files that are not in the store yet; of files that were left as far as they can be counted. */
  ticks(): number
  /** Nothing waits to be handed out. */
  isEmpty(): boolean
  /** A batch waits that was handed out before and came back. */
  isAgain(): boolean
  /**
   * Resolves with the bytes written when all are safe on the disk; rejects with what the system says. One call at a
   * time.
   */
  append(batches: readonly TickBatch[]): Promise<number>
  /** The oldest that was not handed out; one call at a time. */
  next(): Promise<Spilled | undefined>
  close(): Promise<void>
}

const SEGMENT_BYTES = 64 * 2 ** 20

export function openSpill({ root, clock, events, segmentBytes = SEGMENT_BYTES }: SpillOptions): Spill {
  const folders = openFolders(root, clock)
  /** The file that is written; the last of all. */
  let tail: SpillLine | undefined
  let isWriting = false
  let removing = Promise.resolve()

  const forget = async (line: SpillLine): Promise<void> => {
    if (!line.isOver() || (isWriting && line === tail) || !lines.includes(line)) return
    lines.splice(lines.indexOf(line), 1)
    if (line === tail) tail = undefined
    if (line.isKept()) return line.segment.close()
    await line.segment.remove()
    folders.removeEmpty(line.folder)
  }
  const lineOf = (folder: SpillFolder, segment: Segment) =>
    openLine({
      ...{ folder, segment, events },
      onEnd(line, count) {
        ticks = Math.max(0, ticks - count)
        removing = removing
          .then(() => forget(line))
          .catch((error) => void events.emit('unspilled', { reason: messageOf(error) }))
      },
    })
  const left = takeOver(folders, events)
  let ticks = left.reduce((sum, one) => sum + one.ticks, 0)
  const lines = left.map(({ folder, segment }) => lineOf(folder, segment))
  const append = async (batches: readonly TickBatch[]) => {
    if (!tail || tail.segment.size() >= segmentBytes) {
      const { folder, segment } = await folders.make()
      tail = lineOf(folder, segment)
      lines.push(tail)
    }
    return tail.segment.append(batches.map(recordOf))
  }
  return {
    ticks: () => ticks,
    isEmpty: () => !lines.some((line) => line.hasMore()),
    isAgain: () => lines.some((line) => line.isAgain()),
    async append(batches) {
      isWriting = true
      let failed: SpillLine | undefined
      try {
        const bytes = await append(batches)
        ticks += batches.reduce((sum, { count }) => sum + count, 0)
        return bytes
      } catch (error) {
        // Nobody knows what an fsync that failed has left: the next one goes into another file.
        failed = tail
        tail = undefined
        throw error
      } finally {
        isWriting = false
        if (failed) await forget(failed)
      }
    },
    async next() {
      for (const line of [...lines]) {
        const spilled = await line.next()
        if (spilled) return spilled
        await forget(line)
      }
      return undefined
    },
    async close() {
      await removing
      for (const line of [...lines]) {
        await forget(line)
        await line.segment.close()
      }
      folders.leave()
    },
  }
}

/** A disk that cannot be written must not keep a writer from starting: the next one finds what was left. */
function takeOver(folders: ReturnType<typeof openFolders>, events: TickEmitter): Left[] {
  try {
    return folders.takeOver()
  } catch (error) {
    events.emit('unspilled', { reason: messageOf(error) })
    return []
  }
}

interface Left {
  readonly folder: SpillFolder
  readonly segment: Segment
  readonly ticks: number
}

/** The folder of this writer, made when the first file is, and those that it has taken over. */
function openFolders(root: string, clock: Clock) {
  let own: SpillFolder | undefined
  let made = 0
  const held = new Set<SpillFolder>()
  return {
    /** What is in folders that belong to nobody. */
    takeOver(): Left[] {
      for (const folder of leftFolders(root)) held.add(folder)
      return [...held].flatMap((folder) => {
        return folder.files().map((path) => ({ folder, ...leftSegment(path) }))
      })
    },
    async make() {
      await mkdir(root, { recursive: true })
      if (!own) {
        own = makeFolder(root, clock)
        held.add(own)
        await syncFolder(root)
      }
      return { folder: own, segment: await createSegment(join(own.path, segmentName(made++))) }
    },
    removeEmpty(folder: SpillFolder) {
      if (folder === own || folder.files().length > 0) return
      held.delete(folder)
      folder.remove()
    },
    leave() {
      for (const folder of held) {
        if (folder.files().length === 0) folder.remove()
        else folder.leave()
      }
    },
  }
}
