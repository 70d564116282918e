// Which store of ticks the settings name.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Backing, Cutover, Side } from '../cutover/index.ts'
import { type Clock, type Config, SluiceError } from '../kernel/index.ts'
import { dayOfFile } from './day-name.ts'
import type { Repair } from './json-file.ts'
import { openJsonTicks } from './json-ticks.ts'
import { phasedTicks } from './phased-ticks.ts'
import { openPostgresTicks } from './postgres-ticks.ts'
import { openSqliteTicks } from './sqlite-ticks.ts'
import type { CopyableTicks, TickStore } from './tick.ts'
import type { TickEmitter } from './tick-events.ts'

export type TickBackend = 'sqlite' | 'json' | 'postgres'

export interface OpenTicksOptions {
  readonly config: Pick<Config, 'TICKS_BACKEND' | 'TICKS_DIR' | 'DATABASE_URL'>
  readonly clock: Clock
  /** Told of the half of a tick that a killed writer left in a JSON file. */
  readonly events?: TickEmitter
  /** Asked only when TICKS_BACKEND is dual. */
  readonly cutover: () => Cutover<'ticks'>
}

type BackendOptions = Pick<OpenTicksOptions, 'config' | 'clock' | 'events'>

/** In process: for readers and commands. Nothing is opened before its first use. */
export function openTickBackend(
  backend: Exclude<TickBackend, 'postgres'>,
  options: BackendOptions,
): CopyableTicks
export function openTickBackend(backend: TickBackend, options: BackendOptions): TickStore
export function openTickBackend(backend: TickBackend, { config, clock, events }: BackendOptions): TickStore {
  if (backend === 'json') {
    const onRepair = ({ path, bytes }: Repair) => events?.emit('cut', { path, bytes, inside: false })
    return openJsonTicks({ dir: jsonFolder(config), clock, onRepair })
  }
  if (backend === 'postgres') return openPostgresTicks({ url: config.DATABASE_URL, clock })
  return openSqliteTicks({ dir: config.TICKS_DIR, clock })
}

/** What TICKS_BACKEND names; `dual` is both stores of the cut-over. */
export function openTicks(options: OpenTicksOptions): TickStore {
  const backend = options.config.TICKS_BACKEND
  if (backend !== 'dual') return openTickBackend(backend, options)
  return phasedTicks({
    cutover: options.cutover(),
    legacy: openTickBackend('json', options),
    current: openTickBackend('sqlite', options),
  })
}

/** Throws USAGE where ticks are kept otherwise. */
export function demandDayFiles({ TICKS_BACKEND }: Pick<Config, 'TICKS_BACKEND'>): void {
  if (TICKS_BACKEND === 'sqlite' || TICKS_BACKEND === 'dual') return
  const message = `TICKS_BACKEND is ${TICKS_BACKEND}; files of days are there with sqlite and dual.`
  throw new SluiceError('USAGE', message)
}

/** Beside the files of the days, which have folders of years. */
export const jsonFolder = ({ TICKS_DIR }: Pick<Config, 'TICKS_DIR'>) => join(TICKS_DIR, 'json')

const USES = { sqlite: 'current', json: 'legacy', dual: 'both', postgres: 'neither' } as const

/** What the phase of `ticks` must know of the setting before anything is opened. */
export const tickBacking = (config: Pick<Config, 'TICKS_BACKEND' | 'TICKS_DIR'>): Backing => ({
  ...{ setting: 'TICKS_BACKEND', value: config.TICKS_BACKEND, uses: USES[config.TICKS_BACKEND] },
  holds: async (side) => HOLDS[side](config),
})

const HOLDS: Readonly<Record<Side, (config: Pick<Config, 'TICKS_DIR'>) => boolean>> = {
  legacy: (config) => namesBelow(jsonFolder(config)).some((name) => name.endsWith('.json')),
  current: ({ TICKS_DIR }) => namesBelow(TICKS_DIR).some((name) => dayOfFile(basename(name)) !== undefined),
}

const namesBelow = (dir: string): string[] =>
  existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: 'utf8' }) : []
