import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openConflicts } from '../../src/imports/conflicts.ts'
import { PIECE_BYTES_MAX, type RawPiece } from '../../src/imports/cut.ts'
import { lineCutter } from '../../src/imports/cut-lines.ts'
import { splitCsv } from '../../src/imports/index.ts'

function cut(text: string, chunkBytes = 1 << 20, from = 0): RawPiece[] {
  const bytes = Buffer.from(text)
  const cutter = lineCutter(from)
  const pieces: RawPiece[] = []
  for (let at = from; at < bytes.length; at += chunkBytes) {
    pieces.push(...cutter.push(Buffer.from(bytes.subarray(at, at + chunkBytes))))
  }
  return [...pieces, ...cutter.end()]
}
const texts = (pieces: readonly RawPiece[]) => pieces.map(({ text }) => text)

describe('lines of a file', () => {
  it('are cut without their line breaks, and empty ones are none', () => {
    expect(texts(cut('\ufeffa,b\r\n\n1,2\n  \n3,4'))).toEqual(['a,b', '1,2', '3,4'])
  })

  it('are the same in whatever chunks the bytes come, and behind any of them when one goes on there', () => {
    const lines = fc.array(fc.constantFrom('a', 'é,€', '𝄞', '', ' b ', '\r'), { maxLength: 10 })
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 9 }), (parts, chunk) => {
        const text = parts.join('\n')
        const whole = cut(text)
        expect(cut(text, chunk)).toEqual(whole)
        for (const [at, piece] of whole.entries()) {
          expect(texts(cut(text, chunk, piece.end))).toEqual(texts(whole.slice(at + 1)))
        }
      }),
    )
  })

  it('that do not end are put aside with their beginning, and the next one is found', () => {
    for (const chunk of [64 * 1024, 1 << 30]) {
      for (const bytes of [PIECE_BYTES_MAX + 1, 3 * PIECE_BYTES_MAX]) {
        const [first, long, next, ...more] = cut(`a\n${'x'.repeat(bytes)}\nb`, chunk)
        expect([first?.text, next?.text, more]).toEqual(['a', 'b', []])
        expect(long?.problem).toMatchObject({
          reason: 'too_large',
          detail: expect.stringMatching(`^${bytes} `),
        })
        expect(long).toMatchObject({ offset: 2, end: 2 + bytes + 1, text: 'x'.repeat(2_000) })
      }
    }
  })
})

describe('a merge that was not resolved', () => {
  const marked = (lines: readonly string[], openedAt?: number) => {
    const conflicts = openConflicts(openedAt)
    return cut(lines.join('\n')).map((piece) => (conflicts.mark(piece).problem ? '-' : piece.text))
  }

  it('puts both versions aside, since nobody can know which is true', () => {
    const lines = ['a', '<<<<<<< ours', 'b', '=======', 'c', '>>>>>>> theirs', 'd', '<<<<<<<< e', '======= f']
    expect(marked(lines)).toEqual(['a', '-', '-', '-', '-', '-', 'd', '<<<<<<<< e', '-'])
  })

  it('puts no more than a mebibyte aside when its end is missing', () => {
    const long = 'x'.repeat(1_000)
    const lines = marked(['<<<<<<< ours', ...Array.from({ length: 1_100 }, () => long)])
    expect(lines.indexOf(long)).toBe(Math.floor((PIECE_BYTES_MAX - 13) / 1_001) + 2)
  })

  it('is still open for an import that goes on inside of it', () => {
    expect(marked(['b', '>>>>>>> theirs', 'c'], 0)).toEqual(['-', '-', 'c'])
  })

  it('is no matter of what stands in a whole object', () => {
    const piece = { offset: 0, end: 9, text: '{"a":"\n<<<<<<< b"}' }
    expect(openConflicts().mark(piece)).toBe(piece)
  })
})

describe('fields of a line', () => {
  it.each([
    ['a,b,c', ['a', 'b', 'c']],
    ['a,"b,""x",c', ['a', 'b,"x', 'c']],
    ['"a",', ['a', '']],
    ['a,b"c,d', ['a', 'b"c', 'd']],
    ['"a"b,"c', ['"a"b', '"c']],
    ['', ['']],
  ])('of %j are %j', (line, fields) => {
    expect(splitCsv(line)).toEqual(fields)
  })

  it('come back as they were quoted', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', ' ') })
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), (fields) => {
        const line = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')
        expect(splitCsv(line)).toEqual(fields)
      }),
    )
  })
})
