// A setting that is wrong is named with what is allowed, before anything is opened.
import { describe, expect, it } from 'vitest'
import { type Environment, readConfig } from '../../src/kernel/index.ts'

const problemsOf = (environment: Environment): unknown => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return (error as { facts: { problems: unknown } }).facts.problems
  }
}

describe('readConfig', () => {
  it('takes an empty environment, and empty values as absent ones', () => {
    expect(readConfig({ PORT: '', FEE_BPS: ' ' })).toEqual(readConfig({}))
  })

  it('names every wrong setting at once', () => {
    expect(problemsOf({ PORT: '80.5', DATABASE_DRIVER: 'postgres', MAX_NOTIONAL: '-1' })).toMatchObject([
      expect.stringContaining('PORT is "80.5"'),
      expect.stringContaining('MAX_NOTIONAL is "-1"; allowed: a decimal number'),
      expect.stringContaining('DATABASE_URL is empty'),
    ])
  })

  it('shows no value of a setting that may hold a password', () => {
    expect(JSON.stringify(problemsOf({ REDIS_URL: 'http://me:secret@host' }))).not.toContain('secret')
    expect(JSON.stringify(problemsOf({ REDIS_LOCK_URLS: 'http://me:secret@host' }))).not.toContain('secret')
  })

  it.each([
    ['', true],
    ['redis://a:1', true],
    ['redis://a:1, redis://b:1, rediss://c:1', true],
    ['redis://a:1,redis://b:1', false],
    ['redis://a:1,redis://a:1,redis://b:1', false],
    ['redis://a:1,', false],
    ['a:1', false],
  ])('takes REDIS_LOCK_URLS=%s: %s, for a majority decides', (urls, isRight) => {
    expect(problemsOf({ REDIS_LOCK_URLS: urls })).toHaveLength(isRight ? 0 : 1)
  })

  it('takes no holidays that it cannot read, and names the wrong one', () => {
    expect(problemsOf({ MARKET_HOLIDAYS: '2026-01-01, 2026-02-16@11:30' })).toEqual([])
    expect(problemsOf({ MARKET_HOLIDAYS: '2026-01-01,2026-13-01' })).toEqual([
      'MARKET_HOLIDAYS is "2026-01-01,2026-13-01"; allowed: YYYY-MM-DD, or YYYY-MM-DD@HH:MM for a day that ends ' +
        'early, separated by commas; "2026-13-01" is neither',
    ])
  })
})
