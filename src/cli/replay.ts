// `sluice replay <file>`: publishes a recording to the running system, as its feed worker would.
import { type Outgoing, outgoing } from '../bus/index.ts'
import { marketQuotes, parseBoards } from '../catalog/index.ts'
import { deriveId, isSluiceError, randomId, systemClock } from '../kernel/index.ts'
import { openRecording } from '../venues/index.ts'
import { withPlatform } from './connection.ts'
import { runningConfig } from './running-config.ts'
import { stopSignal } from './stop-signal.ts'
import type { Terminal } from './terminal.ts'
