// The floors of docs/ARCHITECTURE.md, held. Each rule is first shown to catch a planted violation.
import { describe, expect, it } from 'vitest'
import { productFiles, readProjectFile, shown } from './rules/files.ts'
import { checkDeadFiles, checkDoors, checkFloors, FLOORS, importsOf } from './rules/imports.ts'

const planted = (path: string, text: string) => [{ path, text }]
const files = productFiles()

describe('the scanner of imports', () => {
  it('finds static, type, re-exported, side-effect and dynamic imports, over several lines', () => {
    const text = [
      "import { a } from './a.ts'",
      "import type { B } from '../b/index.ts'",
      "export { c } from './c.ts'",
      "import './d.ts'",
      "const e = await import('./e.ts')",
      'import {',
      '  f,',
      "} from './f.ts'",
      "import { g } from 'g'",
    ].join('\n')
    expect(importsOf({ path: 'src/x/x.ts', text }).map((found) => `${found.line} ${found.to}`)).toEqual([
      '1 src/x/a.ts',
      '2 src/b/index.ts',
      '3 src/x/c.ts',
      '4 src/x/d.ts',
      '5 src/x/e.ts',
      '8 src/x/f.ts',
      '9 g',
    ])
  })

  it('is not misled by comments, strings and templates', () => {
    const text =
      "// import x from './a.ts'\n/* from './b.ts' */\nconst s = \"from './c.ts'\"\nconst t = `from './d.ts'`"
    expect(importsOf({ path: 'src/x/x.ts', text })).toEqual([])
  })
})

describe('the floors', () => {
  it('catch an import that goes up', () => {
    const found = checkFloors(planted('src/bus/a.ts', "import { b } from '../market/index.ts'"))
    expect(shown(found)).toEqual(['src/bus/a.ts:1  imports up: src/bus must not know src/market'])
  })

  it('catch an import between two contexts', () => {
    const found = checkFloors(planted('src/signals/a.ts', "\nimport type { b } from '../ledger/index.ts'"))
    expect(shown(found)).toEqual([
      'src/signals/a.ts:2  imports sideways: src/signals must not know src/ledger',
    ])
  })

  it('catch a folder that stands on no floor', () => {
    expect(checkFloors(planted('src/new/a.ts', ''))).toHaveLength(1)
    expect(checkFloors(planted('src/bus/a.ts', "import '../new/index.ts'"))).toHaveLength(1)
  })

  it('let an import go down', () => {
    expect(checkFloors(planted('src/ledger/a.ts', "import { b } from '../kernel/index.ts'"))).toEqual([])
  })

  it('hold everywhere', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(shown(checkFloors(files))).toEqual([])
  })

  it('are the ones that docs/ARCHITECTURE.md draws', () => {
    const rows = readProjectFile('docs/ARCHITECTURE.md').matchAll(/^\| (\d)\s+\|([^|]+)\|/gm)
    const drawn = [...rows].flatMap(([, floor, places]) =>
      [...places!.matchAll(/`([^`]+?)\/?`/g)].map(([, place]) => `${floor} ${place}`),
    )
    const held = Object.entries(FLOORS)
      .filter(([place]) => place !== 'bin')
      .map(([place, floor]) => `${floor} ${place}`)
    expect(drawn.sort()).toEqual(held.sort())
  })
})

describe('the doors', () => {
  it('catch an import past the index of another folder', () => {
    const found = checkDoors(planted('src/ledger/a.ts', "import { b } from '../kernel/decimal.ts'"))
    expect(shown(found)).toEqual([
      'src/ledger/a.ts:1  imports src/kernel/decimal.ts; the door is src/kernel/index.ts',
    ])
  })

  it('let a file know its neighbours and the platform', () => {
    expect(checkDoors(planted('src/ledger/a.ts', "import { b } from './b.ts'"))).toEqual([])
    expect(checkDoors(planted('workers/a.ts', "import { b } from '../src/platform.ts'"))).toEqual([])
  })

  it('hold everywhere', () => {
    expect(shown(checkDoors(files))).toEqual([])
  })
})

describe('every file', () => {
  const isEntry = (path: string) =>
    /^(workers|bin)\//.test(path) || /^src\/cli\/(main|generate-documents)\.ts$/.test(path)

  it('that nobody imports is found, also when two such files import each other', () => {
    const dead = [
      { path: 'src/cli/main.ts', text: "import './used.ts'" },
      { path: 'src/cli/used.ts', text: '' },
      { path: 'src/cli/one.ts', text: "import './two.ts'" },
      { path: 'src/cli/two.ts', text: "import './one.ts'" },
    ]
    expect(checkDeadFiles(dead, isEntry).map(({ path }) => path)).toEqual([
      'src/cli/one.ts',
      'src/cli/two.ts',
    ])
  })

  it('is reached from a worker, the command or drizzle', () => {
    const reached = (path: string) => isEntry(path) || path.startsWith('schema/')
    expect(shown(checkDeadFiles(files, reached))).toEqual([])
  })
})
