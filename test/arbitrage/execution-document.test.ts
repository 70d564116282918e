// docs/EXECUTION.md names exactly the refusals and outcomes that exist, and steps that exist.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DENIALS } from '../../src/arbitrage/index.ts'
import { executionCompleted } from '../../src/catalog/index.ts'

const root = join(import.meta.dirname, '../..')
const document = readFileSync(join(root, 'docs/EXECUTION.md'), 'utf8')

/** First cells of the table under a heading, without their quotes. */
function namedUnder(text: string, heading: string): string[] {
  const section = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]!)
}

describe('docs/EXECUTION.md', () => {
  it('names exactly the refusals that exist', () => {
    expect(namedUnder(document, 'Refusals').sort()).toEqual(Object.keys(DENIALS).sort())
  })

  it('names exactly the outcomes that exist', () => {
    expect(namedUnder(document, 'Outcomes').sort()).toEqual(
      [...executionCompleted.shape.outcome.options].sort(),
    )
  })

  it('names as a step only what the code has', () => {
    const folder = join(root, 'src/arbitrage')
    const code = readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n')
    const steps = [...document.matchAll(/\*\*`([a-zA-Z]+)`\*\*/g)].map((match) => match[1]!)
    expect(steps.length).toBeGreaterThan(5)
    for (const step of steps) expect(code).toMatch(new RegExp(`function ${step}\\(`))
  })

  it('is compared with a table that can differ', () => {
    expect(namedUnder('## Refusals\n\n| `made_up` | x |\n', 'Refusals')).toEqual(['made_up'])
  })
})
