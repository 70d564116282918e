export { hasCommand } from './commands.ts'
export { type Confirmation, confirmWrites } from './confirm.ts'
export { type ConnectOptions, closeRedis, connectRedis, type Redis, ready } from './connect.ts'
export { isElsewhere, isMistake, isWrongType, redisError } from './errors.ts'
export { gatherWrites } from './gather.ts'
export { type Line, lineOf, watchLine } from './lines.ts'
export { isCluster, nodesOf, onNodeOf, type RedisNode } from './nodes.ts'
export type { Role } from './roles.ts'
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
