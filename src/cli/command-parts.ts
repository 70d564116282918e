// What the files that declare commands share.
import type { Terminal } from './terminal.ts'

export type TerminalOf = (options: { readonly json?: boolean }) => Terminal
/** The lines under "Examples" in the help of a command. */
export type Examples = (...lines: string[]) => string

export const JSON_OPTION = ['--json', 'one JSON value a line, for programs'] as const
