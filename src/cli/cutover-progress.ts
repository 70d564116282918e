// How far a copy or a comparison is, once a second.
import type { Progress } from '../cutover/index.ts'
import { systemClock } from '../kernel/index.ts'
import type { Terminal } from './terminal.ts'

const EVERY_MS = 1_000

export function progressOf(terminal: Terminal, verb: string): (progress: Progress) => void {
  let look = 0
  let beganAt = 0
  let toldAt = 0
  return (progress) => {
    const now = systemClock.monotonic()
    if (progress.look !== look) {
      look = progress.look
      beganAt = now
      toldAt = now
    }
    if (now - toldAt < EVERY_MS) return
    toldAt = now
    const perSecond = progress.records / ((now - beganAt) / 1_000)
    terminal.note(lineOf(progress, verb, perSecond), 'progress', { ...progress, perSecond })
  }
}

function lineOf(progress: Progress, verb: string, perSecond: number): string {
  const { look, part, parts, partsDone, records, recordsExpected, suspects } = progress
  const left = Math.max(0, recordsExpected - records) / perSecond
  const again = look > 1 ? ` (looking again, ${look} of 3)` : ''
  const found = suspects > 0 ? `, ${whole(suspects)} may differ` : ''
  const share = `${whole(records)} of ${whole(Math.max(records, recordsExpected))} records`
  return `${verb} ${part}${again}: part ${partsDone + 1} of ${parts}, ${share}, ${whole(perSecond)}/s, ${Math.ceil(left)} s left${found}`
}

export const whole = (n: number): string => Math.round(n).toLocaleString('en-US')
