// Failures that end by themselves, or by what somebody does to the server or the disk: the work waits and is not given up.
import { isSluiceError } from '../kernel/index.ts'

const PASSING = ['DATABASE_BUSY', 'DATABASE_UNAVAILABLE', 'MIGRATION_PENDING'] as const

export const isPassing = (error: unknown): boolean => PASSING.some((code) => isSluiceError(error, code))
