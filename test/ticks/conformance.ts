// What the port of tick stores promises, asked of any of them. Each property gets a place of its own, at which stores
// can be opened again and again. stores.test.ts asks them all, and shows that faulty stores fail.
import { ANSWERS } from './conformance-answers.ts'
import type { Property } from './conformance-place.ts'
import { TOGETHER } from './conformance-together.ts'
import { WRITING } from './conformance-writing.ts'

export type { Property, TickPlace } from './conformance-place.ts'

export const TICK_PROPERTIES: readonly Property[] = [...WRITING, ...ANSWERS, ...TOGETHER]
