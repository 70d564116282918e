export {
  type ConnectOptions,
  closeRedis,
  connectRedis,
  isMistake,
  type Redis,
  type Role,
  ready,
  redisError,
} from './connect.ts'
export { defineScript, runScript, type Script } from './script.ts'
export {
  type Bell,
  type Heard,
  openBell,
  openWakes,
  type Wake,
  type WakeOptions,
  type Wakes,
} from './wakes.ts'
