export { afterMs, type Clock, isoTime, systemClock } from './clock.ts'
export {
  type Config,
  type Environment,
  processEnvironment,
  readConfig,
  SETTINGS,
  type SettingName,
} from './config.ts'
export {
  ceilTo,
  type Decimal,
  type DecimalInput,
  decimal,
  decimalText,
  exactText,
  floorTo,
  maxOf,
  minOf,
  ratio,
  ZERO,
} from './decimal.ts'
export { ERROR_CODES, type ErrorCode, isSluiceError, messageOf, SluiceError } from './errors.ts'
export { makeFolder } from './folder.ts'
export { parseHolidays } from './holidays.ts'
export { deriveId, processId, randomId } from './ids.ts'
export { type Line, openLine } from './line.ts'
export { type Logger, openLog, withoutPassword } from './log.ts'
export {
  parseRedisUrl,
  type RedisHost,
  type RedisPlace,
  redisPlaceText,
  splitRedisUrls,
} from './redis-url.ts'
export { VERSION } from './release.ts'
export { openResources, type Resources } from './resources.ts'
export { aborted, repeat, runTasks, type Task } from './task.ts'
