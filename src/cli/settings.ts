// `sluice settings`: what is in force and what it means.
import { processEnvironment, readConfig, splitRedisUrls, withoutPassword } from '../kernel/index.ts'
import { settingLines } from './documents.ts'
import type { Terminal } from './terminal.ts'

/** One line a setting; with --json one object a line. Throws CONFIG_INVALID. */
export function showSettings(terminal: Terminal): void {
  const environment = processEnvironment()
  const config = readConfig(environment)
  for (const { name, fallback, about } of settingLines()) {
    const value = hideSecrets(name, String(config[name]))
    const isSet = (environment[name] ?? '').trim() !== ''
    terminal.result({ name, value, default: fallback, set: isSet, about }, () => {
      const source = isSet ? 'set' : 'default'
      return `${name}=${value}  (${source})\n    ${about}`
    })
  }
}

function hideSecrets(name: string, value: string): string {
  if (value === '') return value
  if (name.includes('TOKEN')) return '***'
  return name.includes('URL') ? splitRedisUrls(value).map(withoutPassword).join(',') : value
}
