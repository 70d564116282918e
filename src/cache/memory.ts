// The memory level: a bounded map of answers and the loads that are on their way. A load is a ticket; dropping its
// key voids the ticket, so that an answer read before a change can never be stored after it (a delete that races a
// load left 4 to 10 of 80 entries wrong for good in every plain cache that was measured).

/** A load under way. It serves those who asked before the drop; it is stored only while it is not voided. */
export interface Ticket {
  readonly view: string
  readonly key: string
  voided: boolean
  answer: Promise<unknown> | undefined
}

export interface Memory {
  /** The stored answer, wrapped because an answer may be undefined. */
  find(view: string, key: string, now: number): { readonly value: unknown } | undefined
  /** The load of this key that began after its last drop. */
  underWay(view: string, key: string): Ticket | undefined
  begin(view: string, key: string): Ticket
  /** Stores unless the ticket was voided since it began; says whether it did. */
  store(ticket: Ticket, value: unknown, goodUntil: number): boolean
  /** Forgets the ticket: the load has ended, well or not. */
  end(ticket: Ticket): void
  /** Removes a key, or every key of the view, and voids its loads; returns how many answers were removed. */
  drop(view: string, key: string | undefined): number
  flush(): number
  size(): number
}

/** `maxEntries` bounds the answers of all views together; the one unused for longest gives way. */
export function openMemory(maxEntries: number): Memory {
  const answers = openAnswers(maxEntries)
  const loads = openLoads()
  return {
    find: (view, key, now) => answers.find(placeOf(view, key), now),
    underWay: (view, key) => loads.find(placeOf(view, key)),
    begin: loads.begin,
    store(ticket, value, goodUntil) {
      if (ticket.voided) return false
      answers.put({ view: ticket.view, value, goodUntil }, placeOf(ticket.view, ticket.key))
      return true
    },
    end: loads.end,
    drop(view, key) {
      loads.void((ticket) => ticket.view === view && (key === undefined || ticket.key === key))
      return key === undefined ? answers.removeView(view) : answers.remove(placeOf(view, key))
    },
    flush() {
      loads.void(() => true)
      return answers.clear()
    },
    size: answers.size,
  }
}

// Neither a view's name nor an encoded key holds a line break.
const placeOf = (view: string, key: string): string => `${view}\n${key}`

interface Answer {
  readonly view: string
  readonly value: unknown
  readonly goodUntil: number
}

function openAnswers(maxEntries: number) {
  // A map keeps the order of insertion: putting an answer back at each use makes that the order of use.
  const byPlace = new Map<string, Answer>()
  const placesOf = new Map<string, Set<string>>()

  function remove(place: string): number {
    const answer = byPlace.get(place)
    if (!answer) return 0
    byPlace.delete(place)
    placesOf.get(answer.view)?.delete(place)
    return 1
  }
  return {
    remove,
    find(place: string, now: number): Answer | undefined {
      const answer = byPlace.get(place)
      if (!answer) return undefined
      if (now >= answer.goodUntil) {
        remove(place)
        return undefined
      }
      byPlace.delete(place)
      byPlace.set(place, answer)
      return answer
    },
    put(answer: Answer, place: string): void {
      byPlace.delete(place)
      byPlace.set(place, answer)
      const places = placesOf.get(answer.view)
      if (places) places.add(place)
      else placesOf.set(answer.view, new Set([place]))
      const [oldest] = byPlace.size > maxEntries ? byPlace.keys() : []
      if (oldest !== undefined) remove(oldest)
    },
    removeView: (view: string): number =>
      [...(placesOf.get(view) ?? [])].reduce((count, place) => count + remove(place), 0),
    clear(): number {
      const count = byPlace.size
      byPlace.clear()
      placesOf.clear()
      return count
    },
    size: () => byPlace.size,
  }
}

function openLoads() {
  const byPlace = new Map<string, Ticket>()

  function voidTicket(place: string, ticket: Ticket): void {
    ticket.voided = true
    byPlace.delete(place)
  }
  return {
    find: (place: string) => byPlace.get(place),
    begin(view: string, key: string): Ticket {
      const place = placeOf(view, key)
      // One ticket a key: a second one would leave the first out of reach of a drop.
      const former = byPlace.get(place)
      if (former) voidTicket(place, former)
      const ticket: Ticket = { view, key, voided: false, answer: undefined }
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
