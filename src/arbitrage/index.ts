export { type BooksReplay, type BooksReplayOptions, replayBooks } from './replay-books.ts'
