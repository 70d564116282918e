// Where the answers of a view come from, declared once for all who need them: readers, warmers and who compares. So
// what is warmed cannot differ from what a reader would have loaded.
import { encodeKey, type View, type ViewKey } from './view.ts'

export interface Source<K extends ViewKey, V> {
  readonly view: View<K, V>
  /**
   * The truth, past the cache. The signal aborts when nobody waits for it any more; until the loader has ended it
   * keeps one of the places for loads, so it must end.
   */
  load(key: NoInfer<K>, signal: AbortSignal): Promise<V>
  /** The key of which somebody has named the parts as text, as a command does. */
  keyOf(parts: readonly string[]): NoInfer<K>
  /** What is worth being there before anybody asks. Without it the view is warmed by nobody. */
  readonly warm?: WarmSource<NoInfer<K>, NoInfer<V>>
}

export interface WarmSource<K extends ViewKey, V> {
  /** Only what is read: what nobody asks for takes room from what is. */
  keys(): Promise<readonly K[]>
  /** The answers of these keys, in their order, by few queries; each equal to what `load` gives. At most 250 keys. */
  loadMany(keys: readonly K[], signal: AbortSignal): Promise<readonly V[]>
}

/** A source of any view, for who treats all alike. */
export interface AnySource {
  readonly view: View<ViewKey, unknown>
  load(key: ViewKey, signal: AbortSignal): Promise<unknown>
  keyOf(parts: readonly string[]): ViewKey
  readonly warm?: WarmSource<ViewKey, unknown>
}

export const defineSource = <K extends ViewKey, V>(source: Source<K, V>): Source<K, V> => source

/** The key that is kept as such text; undefined for one that is none of the view's. */
export function decodeKey({ view, keyOf }: AnySource, text: string): ViewKey | undefined {
  try {
    const parts = view.parts.length === 0 && text === '' ? [] : text.split(':').map(decodeURIComponent)
    if (parts.length !== view.parts.length) return undefined
    const key = keyOf(parts)
    return encodeKey(view, key) === text ? key : undefined
  } catch {
    // No encoded text, or a part that no key has.
    return undefined
  }
}
