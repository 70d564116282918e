import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'
export function addPublishCommand(
  _p: Command,
  _t: (o: { json?: boolean }) => Terminal,
  _e: (...l: string[]) => string,
): void {}
