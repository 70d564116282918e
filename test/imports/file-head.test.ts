// Files of which nothing can be used are told in one sentence.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { wrongWithHeader } from '../../src/candles/import-line.ts'
import { readHead } from '../../src/imports/file-head.ts'
import { listImportFiles } from '../../src/imports/index.ts'
import { type Folder, openFolder } from './rig.ts'

let folder: Folder
beforeAll(() => {
  folder = openFolder()
})
afterAll(() => folder.remove())

const HEADER = 'ticker,time,open,high,low,close,volume'
const LINE = 'A,2024-01-02,1,2,1,2,10'
const headOf = async (content: string | Buffer, name = 'a.csv') => {
  const [file] = await listImportFiles(folder.file(name, content))
  return readHead(file!, wrongWithHeader)
}

it.each([
  [
    'text in UTF-16',
    Buffer.from(`\ufeff${HEADER}\n${LINE}`, 'utf16le'),
    'it is text in UTF-16; save it as UTF-8',
  ],
  [
    'text in UTF-16 without its mark',
    Buffer.from(`${HEADER}\n${LINE}`, 'utf16le'),
    'its header is no text in UTF-8',
  ],
  ['no text', Buffer.from([0x80, 0x91, 0xff, 0x0a, 0x31]), 'its header is no text in UTF-8'],
  ['lines that end with CR', `${HEADER}\r${LINE}\r`, 'its lines end with CR alone'],
  ['no line break in a megabyte', 'x'.repeat(1_500_000), 'its first line has no end within 1048576 bytes'],
  ['a first line of more than a megabyte', `${'x'.repeat(1_100_000)}\n`, 'its first line has no end within'],
  ['a column twice', `${HEADER},Close\n${LINE},3\n`, 'its header has two columns for close'],
  ['a column twice under two names', `${HEADER},date\n${LINE},3\n`, 'its header has two columns for time'],
  [
    'a column less',
    `ticker,time,open,high,low,volume\n${LINE}`,
    'its header has no close; needed: ticker, time,',
  ],
  ['other separators', HEADER.replaceAll(',', ';'), 'its header has no ticker, time, open'],
  ['no header', `${LINE}\n${LINE}`, 'its header has no ticker'],
])('a file of candles with %s is told so', async (_what, content, problem) => {
  const head = await headOf(content)
  expect(head).toEqual({ problem: expect.stringContaining(`${folder.path}/a.csv: ${problem}`) })
})

it.each([
  ['CRLF', `${HEADER}\r\n${LINE}`],
  ['a mark of UTF-8', `\ufeff${HEADER}\n${LINE}`],
  [
    'quotes',
    `${HEADER.split(',')
      .map((name) => `"${name}"`)
      .join(',')}\n${LINE}`,
  ],
  ['markers of a merge in front', `<<<<<<< a\n${HEADER}\n${LINE}`],
  ['no line', `${HEADER}`],
  ['nothing', ''],
])('a file of candles with %s can be read', async (what, content) => {
  const { header, problem } = await headOf(content)
  expect(problem).toBeUndefined()
  expect(header?.text.replaceAll('"', '')).toBe(what === 'nothing' ? undefined : HEADER)
})

it('what is no file, as a pipe, is refused, because an import may have to read it again', async () => {
  const refused = { code: 'USAGE', message: expect.stringContaining('neither a file nor a folder') }
  await expect(listImportFiles('/dev/null')).rejects.toMatchObject(refused)
})

it('text of JSON in UTF-16 is told as well', async () => {
  const { problem } = await headOf(Buffer.from('\ufeff{}', 'utf16le'), 'a.jsonl')
  expect(problem).toContain('UTF-16')
})
