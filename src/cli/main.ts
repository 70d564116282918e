// The entry of the `sluice` command (bin/sluice).
import { SluiceError } from '../kernel/index.ts'
import { buildProgram } from './program.ts'
import { reportError } from './report-error.ts'
import { endQuietlyOnClosedPipe } from './terminal.ts'

endQuietlyOnClosedPipe()
const json = process.argv.includes('--json')
try {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 24)
    throw new SluiceError(
      'NODE_TOO_OLD',
      `This is Node ${process.versions.node}; Sluice runs on 24 or newer.`,
    )
  await buildProgram().parseAsync()
} catch (error) {
  process.exitCode = reportError(error, json)
}
