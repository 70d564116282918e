// The questions of a benchmark as its command line asks them: `[--rounds n] [--only name] [--json]`. A line for each
// contestant, ours with what they should reach.
import { parseArgs } from 'node:util'
import { type Contestant, compete } from './rounds.ts'

export interface Question<S> {
  readonly name: string
  readonly about: string
  readonly unit: string
  readonly contestants: (stage: S) => readonly Contestant[]
  /** The ratio is to this one. */
  readonly against: string
  readonly target: string
}

export interface AskOptions<S> {
  readonly openStage: () => Promise<S>
  /** How many, where the command line does not say. */
  readonly rounds: number
  readonly ratioOf: (median: number, against: number, unit: string) => number
}

/** Closes the stage whatever happens. */
export async function ask<S extends { close(): Promise<unknown> }>(
  questions: readonly Question<S>[],
  { openStage, rounds, ratioOf }: AskOptions<S>,
): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: 'string', default: String(rounds) },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  })
  const asked = questions.filter(({ name }) => options.only === '' || options.only.split(',').includes(name))
  const stage = await openStage()
  try {
    for (const { name, about, unit, contestants, against, target } of asked) {
      const standings = await compete(contestants(stage), Number(options.rounds), (round) =>
        process.stderr.write(`${name}: round ${round < 0 ? 'to warm up' : round + 1}\n`),
      )
      const base = standings.find((one) => one.name === against)!.median
      for (const { name: who, median, least, most } of standings) {
        const ratio = Number(ratioOf(median, base, unit).toFixed(2))
        const line = { question: name, about, who, unit, median, least, most, ratio, against, target }
        process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : rowOf(line))
      }
    }
  } finally {
    await stage.close()
  }
}

interface Line {
  readonly question: string
  readonly who: string
  readonly unit: string
  readonly median: number
  readonly least: number
  readonly most: number
  readonly ratio: number
  readonly target: string
}

function rowOf({ question, who, unit, median, least, most, ratio, target }: Line): string {
  const show = (figure: number) =>
    unit === 'ms' ? figure.toFixed(3) : Math.round(figure).toLocaleString('en')
  const range = `${show(least)} to ${show(most)} ${unit}`
  const wanted = who.startsWith('sluice') ? `  (${target})` : ''
  return `${question.padEnd(9)} ${who.padEnd(34)} ${show(median).padStart(9)}  ${range.padEnd(34)} ${ratio.toFixed(2)} ×${wanted}\n`
}
