// How many entries stand behind a place, without fetching them.
import { type Redis, runScript } from '../redis/index.ts'
import { COUNT } from './control-scripts.ts'

// Entries that one call of the script counts: longer ones would hold up everybody else.
const COUNT_MAX = 2_000

/** Entries behind an id up to another, the first of them, and how many the stream was ever given. */
export async function countBehind(client: Redis, entries: string, behind: string, until: string) {
  let [first, count, after] = ['', 0, behind]
  for (;;) {
    const answer = await runScript(client, COUNT, [entries, entries], [after, until, COUNT_MAX])
    const [size, from, last, added] = answer as [number, string, string, number | '']
    first ||= from
    count += size
    if (size < COUNT_MAX) return { first, count, added }
    after = last
  }
}
