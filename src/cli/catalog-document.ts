// docs/CATALOG.md: everything that has a name in Redis, from the declarations.
import type { AnyView } from '../cache/index.ts'
import {
  inputChannels,
  JOBS,
  REDIS_KEYS,
  STREAMS,
  signalChannel,
  tickChannel,
  VIEWS,
} from '../catalog/index.ts'

export const catalogPage = (generated: string): string =>
  [
    '# Catalog',
    '',
    `<!-- ${generated} -->`,
    '',
    'Everything that has a name in Redis. A test compares the keys with those of a running system.',
    '',
    '## Streams',
    '',
    'At least once, in order by key. Times of retention are those after the last group has acknowledged.',
    '',
    '| stream | partitions | kept | at most | ids remembered | replicas | what |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...[...STREAMS]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, partitions, retentionMs, maxEntries, dedupeMs, durable, about }) => {
        const figures = [partitions, seconds(retentionMs), maxEntries.toLocaleString('en'), seconds(dedupeMs)]
        return `| \`${name}\` | ${figures.join(' | ')} | ${durable ? 'waited for' : '–'} | ${about} |`
      }),
    '',
    '## Cached answers',
    '',
    'See [CACHE.md](CACHE.md). A lifetime is up to a tenth shorter, which the key decides.',
    '',
    '| view | key | lifetime | grace | level | version | tags | what |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...(VIEWS as unknown as readonly AnyView[]).map(viewRow),
    '',
    '## Channels',
    '',
    'At most once: who does not listen has missed it.',
    '',
    '| channel | what |',
    '| --- | --- |',
    ...channels().map(([name, about]) => `| \`${name}\` | ${about} |`),
    '',
    '## Jobs',
    '',
    '| job | queue | every | what |',
    '| --- | --- | --- | --- |',
    ...Object.values(JOBS).map(
      ({ name, queue, everyMs, about }) => `| \`${name}\` | ${queue} | ${seconds(everyMs)} | ${about} |`,
    ),
    '',
    '## Keys',
    '',
    'A part in angle brackets stands for any text.',
    '',
    '| key | type | lives | its truth | written by | removed by |',
    '| --- | --- | --- | --- | --- | --- |',
    ...REDIS_KEYS.map(
      ({ key, type, life, truth, writers, removedBy }) =>
        `| \`${key}\` | ${type} | ${life} | ${truth} | ${writers} | ${removedBy} |`,
    ),
    '',
  ].join('\n')

function viewRow(view: AnyView): string {
  const { name, parts, lifetimeMs, graceMs = 0, level = 'both', version = 1, about } = view
  const key = (parts as readonly string[]).map((part) => `<${part}>`)
  const tags = view.tags?.(key) ?? []
  const lives = typeof lifetimeMs === 'number' ? seconds(lifetimeMs) : 'by key and time'
  const texts = [key.join(':') || '–', lives, seconds(graceMs), level, version, tags.join(', ') || '–']
  return `| \`${name}\` | ${texts.join(' | ').replaceAll('<', '\\<')} | ${about} |`
}

const channels = (): [name: string, about: string][] => [
  [inputChannels.ticker('<venue>', '<symbol>'), 'Quotes from outside: [FEEDING.md](FEEDING.md).'],
  [inputChannels.orderbook('<venue>', '<symbol>'), 'Order books from outside.'],
  [inputChannels.batch('<venue>'), 'Several quotes of one message of the venue.'],
  [inputChannels.funding('<venue>', '<symbol>'), 'Funding rates and contexts from outside.'],
  [signalChannel('<kind>'), 'Signals as they are found.'],
  [tickChannel('<source>', '<symbol>'), 'Ticks that moved enough: [TICKS.md](TICKS.md).'],
]

const seconds = (ms: number): string => `${ms / 1_000} s`
