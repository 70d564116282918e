import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RawPiece } from '../../src/imports/cut.ts'
import { objectCutter } from '../../src/imports/cut-objects.ts'

function cut(text: string | Buffer, chunkBytes = 1 << 20, from = 0): RawPiece[] {
  const bytes = Buffer.from(text)
  const cutter = objectCutter(from)
  const pieces: RawPiece[] = []
  for (let at = from; at < bytes.length; at += chunkBytes) {
    pieces.push(...cutter.push(Buffer.from(bytes.subarray(at, at + chunkBytes))))
  }
  return [...pieces, ...cutter.end()]
}

/** The texts, and in front of a broken one its reason. */
const shown = (pieces: readonly RawPiece[]) =>
  pieces.map(({ text, problem }) => (problem ? `${problem.reason} ${text}` : text))

const garbage = fc.constantFrom(
  ...[
    '{"a":1,"b":',
    '{"a":{"b":{"c":',
    '}',
    '{',
    '<<<<<<< HEAD\n',
    '=======\n',
    '"',
    '{"a":"x\n',
    'null',
    'é€𝄞',
  ],
)
const object = fc
  .dictionary(fc.string({ unit: 'binary', maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
  .map((value) => JSON.stringify(value))

describe('objects of a file', () => {
  it('are cut from arrays, from lines and from what is indented, with the places where they stand', () => {
    const text = '\ufeff[{"a":1},{"b":"}{"},\n {"c":[{"d":{}}],\n  "e": "\\"é" }]\n{}{"f":null}'
    const pieces = cut(text)
    expect(shown(pieces)).toEqual([
      '{"a":1}',
      '{"b":"}{"}',
      '{"c":[{"d":{}}],\n  "e": "\\"é" }',
      '{}',
      '{"f":null}',
    ])
    const bytes = Buffer.from(text)
    expect(pieces.map(({ offset, end }) => bytes.toString('utf8', offset, end))).toEqual(shown(pieces))
  })

  it('are found whatever they hold, and nothing else is', () => {
    const separator = fc.constantFrom(',', '\n', ' ,\r\n', '')
    fc.assert(
      fc.property(fc.array(fc.tuple(object, separator)), fc.integer({ min: 1, max: 40 }), (items, chunk) => {
        const text = `[${items.flat().join('')}]`
        expect(shown(cut(text, chunk))).toEqual(items.map(([one]) => one))
      }),
    )
  })

  it('are the same in whatever chunks the bytes come, and behind any of them when one goes on there', () => {
    const text = fc.array(fc.oneof(object, garbage), { maxLength: 12 }).map((parts) => parts.join(','))
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (file, chunk) => {
        const whole = cut(file)
        expect(cut(file, chunk)).toEqual(whole)
        for (const [at, piece] of whole.entries()) {
          expect(shown(cut(file, chunk, piece.end))).toEqual(shown(whole.slice(at + 1)))
        }
      }),
    )
  })

  it('survive garbage in front of and behind them', () => {
    // A closing bracket behind it would make it a part of what was begun in front of it.
    const behind = garbage.filter((text) => text !== '}')
    fc.assert(
      fc.property(fc.array(garbage), fc.array(behind), (before, behind) => {
        const text = `${before.join('')}\n{"whole":"object"}\n${behind.join('')}`
        expect(shown(cut(text))).toContain('{"whole":"object"}')
      }),
    )
  })
})

describe('what is broken', () => {
  it('is told with what it is, and the objects around it are found', () => {
    expect(shown(cut('[{"a":1},{"b":2,"c":{"d":3},{"e":4}, nul, {"f" 5},{"g":6}}]'))).toEqual([
      '{"a":1}',
      'not_json {"b":2,"c":',
      '{"d":3}',
      '{"e":4}',
      'not_json nul, {"f" 5}',
      '{"g":6}',
      'not_json }',
    ])
    expect(shown(cut('{"a":1}\n{"b":"cut off'))).toEqual(['{"a":1}', 'not_json {"b":"cut off'])
    expect(shown(cut('version https://git-lfs.github.com/spec/v1\noid 4d7a'))).toEqual([
      'not_json version https://git-lfs.github.com/spec/v1\noid 4d7a',
    ])
  })

  it('counts once for each object that was begun, however much garbage lies between', () => {
    const found = cut('{"a":1,\n{"b":2,\n{"c":3,\n{"d":4}')
    expect(shown(found)).toEqual(['not_json {"a":1', 'not_json {"b":2', 'not_json {"c":3', '{"d":4}'])
  })

  it('has a bounded text however long it is, and ends at the next object', () => {
    const long = 3 * 1024 * 1024
    for (const begin of ['{"a":"', '{"a":[1,', '{"a":{"b":"', '<<<<<<< ', '{{{{']) {
      const filling = begin.endsWith('{') ? '{' : begin.endsWith('1,') ? '1,' : 'x'
      const text = `{"x":1},${begin}${filling.repeat(long / filling.length)},{"y":2}`
      const pieces = cut(text, 64 * 1024)
      expect(pieces.length).toBeLessThan(6)
      expect(pieces.map((piece) => piece.text)).toEqual(expect.arrayContaining(['{"x":1}', '{"y":2}']))
      const largest = pieces.findLast(({ problem }) => problem?.reason === 'too_large')
      expect(largest?.problem?.detail).toMatch(/^\d+ bytes without an end/)
      expect(largest?.text.length).toBeLessThanOrEqual(2_000)
      expect(largest?.text.length).toBeGreaterThan(1_990)
    }
  })

  it('inside of objects that are too large is looked through once, not again from each bracket', () => {
    const inner = '{"b":[1,2,3]},'.repeat(100_000)
    const pieces = cut(`{"a":[${inner}0]},{"c":1}`, 64 * 1024)
    expect(pieces.filter(({ problem }) => !problem)).toHaveLength(100_001)
    expect(pieces[0]?.problem?.reason).toBe('too_large')
  })
})
