// The verdict of a run for a person.
import { RULES } from './checker.ts'
import type { ChaosResult } from './run.ts'

export function reportOf({ seed, verdicts, strikes, tally, rows, tookMs }: ChaosResult): string {
  const struck = Object.entries(strikes)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} × ${name}`)
  const lines = verdicts.flatMap(({ rule, count, offences }) => [
    `${count === 0 ? 'held  ' : 'BROKEN'}  ${RULES[rule]}${count === 0 ? '' : `: ${count}`}`,
    ...offences.map((offence) => `          ${offence}`),
  ])
  const broken = verdicts.filter(({ count }) => count > 0).length
  return [
    `strikes: ${struck.join(', ') || 'none'}`,
    `repeated by publishers: ${tally.repeats}; owners refused: ${tally.fenced}; losses told: ${tally.losses}`,
    ...[...tally.said].slice(0, 10).map((said) => `  ${said}`),
    ...lines,
    `${rows} rows in ${Math.round(tookMs / 1_000)} s, seed ${seed}: ${broken === 0 ? 'every promise held' : `${broken} broken`}`,
    '',
  ].join('\n')
}
