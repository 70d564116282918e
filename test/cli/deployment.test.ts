// Dockerfile and docker-compose.yml, as far as they can be checked without a Docker engine.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { SETTINGS } from '../../src/kernel/index.ts'
import { ROOT, readProjectFile } from '../rules/files.ts'

interface Service {
  readonly image?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly volumes?: readonly string[]
}

const compose = parse(readProjectFile('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}
const services = Object.entries(compose.services)

describe('docker-compose.yml', () => {
  it('keeps the messages of Redis: AOF, no eviction, a volume', () => {
    const { command, volumes } = compose.services['redis']!
    expect(command?.join(' ')).toMatch(/--appendonly yes .*--maxmemory-policy noeviction/)
    expect(volumes).toHaveLength(1)
  })

  it('starts workers only on a healthy Redis and migrated tables', () => {
    const workers = services.filter(([, { command }]) => command?.[0] === 'worker')
    expect(workers.length).toBeGreaterThan(5)
    for (const [, { depends_on }] of workers) {
      expect(depends_on).toEqual({
        redis: { condition: 'service_healthy' },
        migrate: { condition: 'service_completed_successfully' },
      })
    }
  })

  it('waits only for services that exist, and for health only where it is checked', () => {
    for (const [, { depends_on = {} }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(Object.keys(compose.services)).toContain(name)
        if (condition === 'service_healthy') expect(compose.services[name]!.healthcheck?.test).toBeDefined()
      }
    }
  })

  it('sets only settings that exist', () => {
    const ours = services.filter(([, { image }]) => image === 'sluice')
    const names = ours.flatMap(([, { environment = {} }]) => Object.keys(environment))
    expect(names.filter((name) => !(name in SETTINGS))).toEqual([])
  })

  it('names every volume that a service uses', () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!))
    expect(Object.keys(compose.volumes).sort()).toEqual(used.sort())
  })
})

describe('Dockerfile', () => {
  const lines = readProjectFile('Dockerfile').split('\n')

  it('copies only what exists, and every folder that runs', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(/\s+/).slice(1, -1))
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    expect(copied).toEqual(expect.arrayContaining(['bin', 'drizzle', 'schema', 'src', 'web', 'workers']))
  })

  it('does not run as root', () => {
    expect(lines.indexOf('USER node')).toBeGreaterThan(0)
  })
})
