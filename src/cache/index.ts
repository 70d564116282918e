export { type Drop, decodeDrops, dropViews } from './drops.ts'
export { type CacheEmitter, type CacheEvents, cacheEmitter } from './events.ts'
export { type AnyView, defineView, type View, type ViewKey } from './view.ts'
export { type CacheStats, openViews, type Views, type ViewsOptions } from './views.ts'
