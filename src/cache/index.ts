export { decodeDrops, dropViews } from './drops.ts'
export type { CacheEmitter, CacheEvents } from './events.ts'
export { defineView, type View, type ViewKey } from './view.ts'
export { type CacheStats, openViews, type Views, type ViewsOptions } from './views.ts'
