// The order in which test files begin. A file that waits for workers to be killed and to come back lasts minutes while it
// hardly computes: begun first, it runs beside the others; begun last, one core waits for it.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const LONG = ['test/stories/', 'test/cli/start', 'test/chaos/', 'test/bus/', 'test/cli/']

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rank(a.moduleId) - rank(b.moduleId))
  }
}

function rank(file: string): number {
  const at = LONG.findIndex((part) => file.includes(part))
  return at === -1 ? LONG.length : at
}
