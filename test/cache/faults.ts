// The cache with one of its rules taken out, to show that it is needed.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { openViews } from '../../src/cache/index.ts'

export type OpenViews = typeof openViews

export interface Rule {
  readonly file: string
  /** As it stands there. */
  readonly text: string
  /** What stands there instead. */
  readonly fault: string
}

export const RULES = {
  'the ticket of a load': { file: 'memory.ts', text: 'if (ticket.voided) return false', fault: '' },
  'detaching a load': {
    file: 'memory.ts',
    text: 'ticket.voided = true\n    byPlace.delete(place)',
    fault: 'ticket.voided = true',
  },
  'the lease of a load': {
    file: 'scripts.ts',
    text: 'if owner ~= token then return false end',
    fault: 'under = owner == token and under or tags',
  },
  'the tags of a load': { file: 'scripts.ts', text: 'if under == tags then', fault: 'if true then' },
  'the tags of an answer': { file: 'remote.ts', text: 'if (answer.tags !== ', fault: "if ('' > " },
  'the sequence of drops': { file: 'listener.ts', text: 'next.sequence === expected', fault: 'true' },
  'the age of a proof': {
    file: 'listener.ts',
    text: 'proofAgeMs(now) <= options.proofMs',
    fault: 'proofAgeMs(now) < Number.POSITIVE_INFINITY',
  },
  'emptying the memory': {
    file: 'views.ts',
    text: 'const entries = memory.flush()',
    fault: 'const entries = 0',
  },
  'the start of the server': { file: 'scripts.ts', text: 'known[2] == ARGV[1]', fault: 'true' },
  'the versions of a drop': {
    file: 'scripts.ts',
    text: "if shapes ~= ARGV[2] then return { 'epoch', epoch } end",
    fault: '',
  },
  'the epoch of a script': {
    file: 'scripts.ts',
    text: "if epoch ~= ARGV[1] then return { 'epoch', epoch } end",
    fault: '',
  },
} as const satisfies Record<string, Rule>
export type RuleName = keyof typeof RULES

const CACHE = join(import.meta.dirname, '../../src/cache')

/** A copy of src/cache without the rule; `index` is what to import. */
export async function copyWithout(name: RuleName) {
  const { file, text, fault } = RULES[name]
  const folder = await mkdtemp(join(tmpdir(), 'sluice-fault-'))
  await cp(CACHE, folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const source = await readFile(path, 'utf8')
    if (name === file && !source.includes(text))
      throw new Error(`${file} has no line ${JSON.stringify(text)}`)
    const broken = name === file ? source.replace(text, fault) : source
    const rooted = broken
      .replaceAll("from '../", `from '${join(CACHE, '..')}/`)
      .replaceAll(/from '(zod|eventemitter3)'/g, (_, name) => `from '${import.meta.resolve(name)}'`)
    await writeFile(path, rooted)
  }
  return {
    index: pathToFileURL(join(folder, 'index.ts')).href,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Runs a case without the rule. */
export async function without<T>(name: RuleName, run: (open: OpenViews) => Promise<T>): Promise<T> {
  const { index, remove } = await copyWithout(name)
  try {
    return await run(((await import(index)) as { openViews: OpenViews }).openViews)
  } finally {
    await remove()
  }
}
