// Batches that found no room in memory, or no disk that takes them, kept in files until the store goes on. What is
// appended is safe on the disk before it counts; what a killed process left is found by the next one that starts.
import { join } from 'node:path'
import { type Clock, makeFolder, messageOf } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import { leftFolders, makeSpillFolder, type SpillFolder, segmentName } from './spill-folder.ts'
import { openLine, type Spilled, type SpillLine } from './spill-line.ts'
import { recordOf } from './spill-record.ts'
import { createSegment, leftSegment, type Segment, syncFolder } from './spill-segment.ts'
import type { TickEmitter } from './tick-events.ts'

export interface SpillOptions {
  /** Folder of the folders of all writers. */
  readonly root: string
  readonly clock: Clock
  readonly events: TickEmitter
  /** Whether a day (YYYY-MM-DD) does not take its ticks now; they are not handed out then. */
  readonly isFailing: (day: string) => boolean
  /** A file is continued in another when it is this long. Default: 64 MiB. */
  readonly segmentBytes?: number
}

export interface Spill {
  /** Ticks in the files that are not in the store yet; of files that were left as far as they can be counted. */
  ticks(): number
  /** Nothing waits to be handed out, but for days that are failing. */
  isEmpty(): boolean
  /** A batch waits that was handed out before and came back. */
  isAgain(): boolean
  /**
   * Resolves with the bytes written when all are safe on the disk; rejects with what the system says. One call at a
   * time. `day` when all are of one day that does not take them: they get a file of their own.
   */
  append(batches: readonly TickBatch[], day?: string): Promise<number>
  /** The oldest that was not handed out; one call at a time. */
  next(): Promise<Spilled | undefined>
  close(): Promise<void>
}

const SEGMENT_BYTES = 64 * 2 ** 20

export function openSpill(options: SpillOptions): Spill {
  const { root, clock, events, isFailing, segmentBytes = SEGMENT_BYTES } = options
  const folders = openFolders(root, clock)
  /** The files that are written, by day. */
  const tails = new Map<string | undefined, SpillLine>()
  let isWriting = false
  let removing = Promise.resolve()

  const forget = async (line: SpillLine): Promise<void> => {
    const tail = [...tails].find(([, one]) => one === line)
    if (!line.isOver() || (isWriting && tail) || !lines.includes(line)) return
    lines.splice(lines.indexOf(line), 1)
    if (tail) tails.delete(tail[0])
    if (line.isKept()) return line.segment.close()
    await line.segment.remove()
    folders.removeEmpty(line.folder)
  }
  const unspilled = (error: unknown) => void events.emit('unspilled', { reason: messageOf(error) })
  const lineOf = ({ folder, segment }: { folder: SpillFolder; segment: Segment }) =>
    openLine({
      ...{ folder, segment, events, isFailing },
      onEnd(line, count) {
        ticks = Math.max(0, ticks - count)
        removing = removing.then(() => forget(line)).catch(unspilled)
      },
    })
  const left = takeOver(folders, events)
  let ticks = left.reduce((sum, one) => sum + one.ticks, 0)
  const lines = left.map(lineOf)
  const tailOf = async (day: string | undefined): Promise<SpillLine> => {
    const known = tails.get(day)
    if (known && known.segment.size() < segmentBytes) return known
    const tail = lineOf(await folders.make(day))
    tails.set(day, tail)
    lines.push(tail)
    return tail
  }
  return {
    ticks: () => ticks,
    isEmpty: () => !lines.some((line) => line.hasMore()),
    isAgain: () => lines.some((line) => line.isAgain()),
    async append(batches, day) {
      isWriting = true
      try {
        const bytes = await (await tailOf(day)).segment.append(batches.map(recordOf))
        ticks += batches.reduce((sum, { count }) => sum + count, 0)
        return bytes
      } catch (error) {
        // Nobody knows what an fsync that failed has left: the next one goes into another file.
        const failed = tails.get(day)
        tails.delete(day)
        if (failed) await forget(failed)
        throw error
      } finally {
        isWriting = false
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
    async make(day: string | undefined) {
      makeFolder(root)
      if (!own) {
        own = makeSpillFolder(root, clock)
        held.add(own)
        await syncFolder(root)
      }
      return { folder: own, segment: await createSegment(join(own.path, segmentName(made++, day))) }
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
