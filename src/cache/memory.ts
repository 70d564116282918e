// The memory level: a bounded map of answers and the loads that are on their way. A load is a ticket; dropping its
// place or one of its tags voids the ticket, so that an answer read before a change can never be stored after it (a
// delete that races a load left 4 to 10 of 80 entries wrong for good in every plain cache that was measured).

/** A load under way. It serves those who asked before the drop; it is stored only while it is not voided. */
export interface Ticket {
  readonly view: string
  readonly key: string
  readonly tags: readonly string[]
  /** Monotonic, ms. */
  readonly beganAt: number
  voided: boolean
  answer: Promise<unknown> | undefined
}

export interface Stored {
  /** Resolved; the same object for every reader, because a new promise each time was a third of a hit. */
  readonly answer: Promise<unknown>
  readonly value: unknown
  /** Monotonic, ms. */
  readonly goodUntil: number
  /** From here on whoever asks first loads it again; infinity once somebody does. */
  eagerAt: number
}

/** How long an answer may stay, monotonic ms, and how large it is. */
export type Terms = Pick<Stored, 'goodUntil' | 'eagerAt'> & { readonly bytes: number }

export interface Memory {
  find(view: string, key: string, now: number): Stored | undefined
  /** The load of this key that began after its last drop. */
  underWay(view: string, key: string): Ticket | undefined
  begin(view: string, key: string, tags: readonly string[], now: number): Ticket
  /** Stores unless the ticket was voided since it began; says whether it did. */
  store(ticket: Ticket, value: unknown, terms: Terms): boolean
  /** Forgets the ticket: the load has ended, well or not. */
  end(ticket: Ticket): void
  /** Removes an answer and voids its load; returns how many answers were removed. */
  drop(view: string, key: string): number
  /** Removes every answer under the tag and voids their loads. */
  dropTag(tag: string): number
  flush(): number
  size(): { readonly entries: number; readonly bytes: number }
}

/** Bounds the answers of all views together, by number and by size; those not asked for lately give way. */
export function openMemory(maxEntries: number, maxBytes: number): Memory {
  const answers = openAnswers(maxEntries, maxBytes)
  const loads = openLoads()
  return {
    find: answers.find,
    underWay: loads.find,
    begin: loads.begin,
    store(ticket, value, terms) {
      if (ticket.voided) return false
      answers.put(ticket, value, terms)
      return true
    },
    end: loads.end,
    drop(view, key) {
      loads.void((ticket) => ticket.key === key && ticket.view === view)
      return answers.remove(view, key)
    },
    dropTag(tag) {
      loads.void((ticket) => ticket.tags.includes(tag))
      return answers.removeTag(tag)
    },
    flush() {
      loads.void(() => true)
      return answers.clear()
    },
    size: answers.size,
  }
}

// What the maps, the promise and the object take beside the answer itself.
const ENTRY_BYTES = 400

interface Answer extends Stored {
  readonly view: string
  readonly key: string
  readonly tags: readonly string[]
  readonly bytes: number
  /** Asked for since it was last looked at. */
  used: boolean
}

function openAnswers(maxEntries: number, maxBytes: number) {
  // A map for each view, keyed by the text of the key alone: joining the two for each hit was half of its time.
  const byView = new Map<string, Map<string, Answer>>()
  const tags = openTagIndex()
  const queue = openQueue()

  function forget(answer: Answer): void {
    byView.get(answer.view)!.delete(answer.key)
    queue.remove(answer)
    tags.remove(answer)
  }
  function remove(view: string, key: string): number {
    const answer = byView.get(view)?.get(key)
    if (!answer) return 0
    forget(answer)
    return 1
  }
  return {
    remove,
    find(view: string, key: string, now: number): Stored | undefined {
      const answer = byView.get(view)?.get(key)
      if (!answer) return undefined
      if (now < answer.goodUntil) {
        answer.used = true
        return answer
      }
      forget(answer)
      return undefined
    },
    put({ view, key, tags: under }: Ticket, value: unknown, { bytes, goodUntil, eagerAt }: Terms): void {
      remove(view, key)
      const answer: Answer = {
        ...{ view, key, tags: under, value, used: false, goodUntil, eagerAt },
        answer: Promise.resolve(value),
        bytes: bytes + ENTRY_BYTES,
      }
      const keys = byView.get(view)
      if (keys) keys.set(key, answer)
      else byView.set(view, new Map([[key, answer]]))
      tags.add(answer)
      queue.add(answer)
      queue.shrink(maxEntries, maxBytes, forget)
    },
    removeTag(tag: string): number {
      const under = tags.under(tag)
      under.forEach(forget)
      return under.length
    },
    clear(): number {
      const { entries } = queue.size()
      byView.clear()
      tags.clear()
      queue.clear()
      return entries
    },
    size: queue.size,
  }
}

/** Answers in the order in which they are looked at when one has to give way: a clock with a second chance. */
function openQueue() {
  const queue = new Set<Answer>()
  let bytes = 0
  return {
    add(answer: Answer): void {
      queue.add(answer)
      bytes += answer.bytes
    },
    remove(answer: Answer): void {
      if (queue.delete(answer)) bytes -= answer.bytes
    },
    shrink(maxEntries: number, maxBytes: number, forget: (answer: Answer) => void): void {
      for (const answer of queue) {
        if (queue.size <= maxEntries && bytes <= maxBytes) return
        if (answer.used) {
          answer.used = false
          queue.delete(answer)
          queue.add(answer)
        } else forget(answer)
      }
    },
    clear(): void {
      queue.clear()
      bytes = 0
    },
    size: () => ({ entries: queue.size, bytes }),
  }
}

/** Which answers stand under a tag. */
function openTagIndex() {
  const byTag = new Map<string, Set<Answer>>()
  return {
    add(answer: Answer): void {
      for (const tag of answer.tags) {
        const under = byTag.get(tag)
        if (under) under.add(answer)
        else byTag.set(tag, new Set([answer]))
      }
    },
    remove(answer: Answer): void {
      for (const tag of answer.tags) {
        // A key may give one tag twice: of EUR/EUR, both currencies.
        const under = byTag.get(tag)
        if (under?.delete(answer) && under.size === 0) byTag.delete(tag)
      }
    },
    under: (tag: string): readonly Answer[] => [...(byTag.get(tag) ?? [])],
    clear: () => byTag.clear(),
  }
}

function openLoads() {
  const byPlace = new Map<string, Ticket>()
  // Neither a view's name nor an encoded key holds a line break.
  const placeOf = (view: string, key: string) => `${view}\n${key}`

  function voidTicket(place: string, ticket: Ticket): void {
    ticket.voided = true
    byPlace.delete(place)
  }
  return {
    find: (view: string, key: string) => byPlace.get(placeOf(view, key)),
    begin(view: string, key: string, tags: readonly string[], now: number): Ticket {
      const place = placeOf(view, key)
      // One ticket a key: a second one would leave the first out of reach of a drop.
      const former = byPlace.get(place)
      if (former) voidTicket(place, former)
      const ticket: Ticket = { view, key, tags, beganAt: now, voided: false, answer: undefined }
      byPlace.set(place, ticket)
      return ticket
    },
    end(ticket: Ticket): void {
      const place = placeOf(ticket.view, ticket.key)
      if (byPlace.get(place) === ticket) byPlace.delete(place)
    },
    /** Few loads are under way at a time, so all are looked at. */
    void(isMeant: (ticket: Ticket) => boolean): void {
      for (const [place, ticket] of byPlace) if (isMeant(ticket)) voidTicket(place, ticket)
    },
  }
}
