export type {
  ImportCounts,
  ImportExample,
  ImportKind,
  ImportOptions,
  ImportProgress,
  ImportResult,
  Piece,
  Quarantined,
  Subject,
  Take,
  TakeContext,
  Taken,
} from './import.ts'
export { type ImportFile, listImportFiles } from './list-files.ts'
export { forgetQuarantine, insertQuarantine } from './quarantine.ts'
export { readBytes } from './read-bytes.ts'
export { runImport } from './run-import.ts'
export { splitCsv } from './split-csv.ts'
