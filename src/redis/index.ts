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
