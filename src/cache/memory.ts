// The memory level: a bounded map of answers and the loads that are on their way. A load is a ticket; dropping its
// key voids the ticket, so that an answer read before a change can never be stored after it (a delete that races a
// load left 4 to 10 of 80 entries wrong for good in every plain cache that was measured).

interface Stored {
  readonly value: unknown
  readonly goodUntil: number
}

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

interface Shelf {
  readonly answers: Map<string, Stored>
  readonly loads: Map<string, Ticket>
}

/** `maxEntries` bounds the answers of all views together; the one unused for longest gives way. */
export function openMemory(maxEntries: number): Memory {
  const shelves = new Map<string, Shelf>()
  // Order of use over all views; the map's own order is the queue.
  const used = new Map<string, { view: string; key: string }>()

  const shelfOf = (view: string): Shelf => {
    const shelf = shelves.get(view) ?? { answers: new Map(), loads: new Map() }
    shelves.set(view, shelf)
    return shelf
  }
  const placeOf = (view: string, key: string) => `${view}\n${key}`
  const remove = (view: string, key: string): number => {
    used.delete(placeOf(view, key))
    return shelves.get(view)?.answers.delete(key) ? 1 : 0
  }
  const touch = (view: string, key: string) => {
    const place = placeOf(view, key)
    used.delete(place)
    used.set(place, { view, key })
  }
  const voidLoad = (shelf: Shelf, key: string) => {
    const ticket = shelf.loads.get(key)
    if (ticket) ticket.voided = true
    shelf.loads.delete(key)
  }
  const dropView = (view: string): number => {
    const shelf = shelves.get(view)
    if (!shelf) return 0
    for (const key of [...shelf.loads.keys()]) voidLoad(shelf, key)
    return [...shelf.answers.keys()].reduce((count, key) => count + remove(view, key), 0)
  }

  return {
    find(view, key, now) {
      const stored = shelves.get(view)?.answers.get(key)
      if (!stored) return undefined
      if (now >= stored.goodUntil) {
        remove(view, key)
        return undefined
      }
      touch(view, key)
      return stored
    },
    underWay: (view, key) => shelves.get(view)?.loads.get(key),
    begin(view, key) {
      const ticket: Ticket = { view, key, voided: false, answer: undefined }
      const shelf = shelfOf(view)
      // One ticket a key: a second one would leave the first out of reach of a drop.
      voidLoad(shelf, key)
      shelf.loads.set(key, ticket)
      return ticket
    },
    store(ticket, value, goodUntil) {
      if (ticket.voided) return false
      shelfOf(ticket.view).answers.set(ticket.key, { value, goodUntil })
      touch(ticket.view, ticket.key)
      if (used.size > maxEntries) {
        const oldest = used.values().next().value
        if (oldest) remove(oldest.view, oldest.key)
      }
      return true
    },
    end(ticket) {
      const { loads } = shelfOf(ticket.view)
      if (loads.get(ticket.key) === ticket) loads.delete(ticket.key)
    },
    drop(view, key) {
      if (key === undefined) return dropView(view)
      voidLoad(shelfOf(view), key)
      return remove(view, key)
    },
    flush: () => [...shelves.keys()].reduce((count, view) => count + dropView(view), 0),
    size: () => used.size,
  }
}
