// The notation of addresses: what is taken, and that nothing of a password shows.
import { describe, expect, it } from 'vitest'
import { parseRedisUrl, splitRedisUrls, withoutPassword } from '../../src/kernel/index.ts'

describe('an address of a Redis', () => {
  it.each([
    ['redis://h', { kind: 'single', hosts: [{ host: 'h', port: 6379 }], db: 0, tls: false }],
    ['rediss://u:p%40w@h:1/3', { kind: 'single', username: 'u', password: 'p@w', db: 3, tls: true }],
    ['redis://:pw@[::1]:7', { hosts: [{ host: '::1', port: 7 }], username: undefined, password: 'pw' }],
    [
      'redis+sentinel://u:p@a,b:1/main?db=2&sentinel_password=s',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
        ],
        service: 'main',
        db: 2,
        sentinelPassword: 's',
      },
    ],
    ['redis+sentinel://a/main/4', { service: 'main', db: 4 }],
    ['rediss+cluster://a:1,b:2', { kind: 'cluster', tls: true, hosts: [{ port: 1 }, { port: 2 }] }],
  ])('%s names what is there', (url, place) => {
    expect(parseRedisUrl(url)).toMatchObject(place)
  })

  it.each([
    ['http://h', 'redis://'],
    ['redis://a,b', 'several hosts'],
    ['redis://a:99999', 'host:port'],
    ['redis://h/x', 'database'],
    ['redis+sentinel://a', 'name of the master'],
    ['redis+sentinel://a/main?dbs=1', 'dbs is unknown'],
    ['redis+cluster://a/1', 'database numbers'],
  ])('%s is refused with a reason', (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(reason)
  })

  it('is one of a list although it has commas of its own', () => {
    const list = 'redis+cluster://a,b, redis://u:p@c,redis+sentinel://d:1,e/main'
    expect(splitRedisUrls(list)).toEqual([
      'redis+cluster://a,b',
      'redis://u:p@c',
      'redis+sentinel://d:1,e/main',
    ])
  })

  it.each([
    'redis://u:secret@h',
    'redis+cluster://u:secret@a:1,b:2',
    'redis+sentinel://:secret@a,b/main?sentinel_password=secret&db=1',
    'redis+sentinel://u:se@secret@a,b/main',
  ])('%s is shown without its passwords', (url) => {
    expect(withoutPassword(url)).toContain('***')
    expect(withoutPassword(url)).not.toContain('secret')
  })
})
