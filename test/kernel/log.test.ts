// What is logged when nobody reads it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

it('holds up no process whose output nobody reads any more', async () => {
  const program = `
    import { openLog } from ${JSON.stringify(new URL('../../src/kernel/log.ts', import.meta.url).href)}
    const log = openLog({ level: 'info', name: 'orphan' })
    process.stdin.on('end', () => {
      for (let i = 0; i < 3; i++) log.info('nobody hears this')
      process.exit(7)
    }).resume()
    process.stderr.write('listening')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'pipe' })
  await once(child.stderr, 'data')
  child.stdout.destroy()
  child.stdin.end()
  const [code] = await once(child, 'exit')
  expect(code).toBe(7)
})
