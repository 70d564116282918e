// The last line of a run, alone on its line and the same in every version of vitest, for whoever reads it by machine.
import type { Reporter, TestModule } from 'vitest/node'

/** `12 passed, 0 failed`, and `, 2 skipped` when some were. */
export function closingLine(states: readonly string[], errors: number): string {
  const count = (state: string) => states.filter((one) => one === state).length
  const skipped = count('skipped') + count('pending')
  return `${count('passed')} passed, ${count('failed') + errors} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Files that could not be loaded and errors outside of tests count as failed: nothing that broke is left out. */
export const closingReporter: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]) {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    )
    const broken = modules.flatMap((module) => [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ])
    const line = closingLine(states, broken.length + unhandledErrors.length)
    // After the summary of the reporter in front, which also writes when the run has ended.
    process.on('exit', () => process.stdout.write(`${line}\n`))
  },
}
