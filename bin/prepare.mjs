// Makes a fresh clone ready and hands over to Node 24: `npm install` only when node_modules does not hold what
// package.json and package-lock.json ask for, then the real program. Needs no package; runs on Node 20.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MODULES = join(ROOT, 'node_modules')
const NODE = join(MODULES, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const SLUICE = join(ROOT, 'bin', 'sluice')

const STEPS = {
  start: [['start', [SLUICE, 'start']]],
  test: [['tests', ['vitest', 'run']]],
  chaos: [['chaos', ['node', 'test/chaos/main.ts']]],
  race: [['race', ['node', 'test/race/main.ts']]],
  verify: [
    ['format and lint', ['biome', 'ci', '.']],
    ['types', ['tsc', '--noEmit']],
    ['unused code and packages', ['knip']],
  ],
}
STEPS.check = [...STEPS.verify, ...STEPS.test]

/** Ready, then run; resolves to the exit code. */
export async function main([what, ...more]) {
  const steps = STEPS[what]
  if (!steps) {
    say(`setup takes one of: ${Object.keys(STEPS).join(', ')}`)
    return 2
  }
  const missing = whatIsMissing(ROOT, what === 'start')
  if (missing) {
    const code = await install(missing)
    if (code !== 0) return code
  }
  for (const [title, command] of steps) {
    if (steps.length > 1) say(title)
    const last = title === steps.at(-1)[0]
    const code = await run(last ? [...command, ...more] : command, { ownGroup: what === 'start' })
    if (code !== 0) return code
  }
  return 0
}

/**
 * Why `npm install` is needed, or undefined. Compares what npm wrote about node_modules with the lock file, and the
 * lock file with package.json: 4 ms, and right also when somebody ran npm by hand.
 */
export function whatIsMissing(root, withoutDev) {
  const manifest = readJson(join(root, 'package.json'))
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))
  if (!installed) return 'node_modules is missing'
  const lock = readJson(join(root, 'package-lock.json'))
  for (const kind of ['dependencies', 'devDependencies']) {
    if (withoutDev && kind === 'devDependencies') continue
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      if (!installed.packages[`node_modules/${name}`]) return `${name} is not installed`
      const locked = lock?.packages[''][kind]?.[name]
      if (lock && locked !== range) return `${name} changed in package.json`
    }
  }
  for (const [path, entry] of Object.entries(lock?.packages ?? {})) {
    if (path === '' || entry.optional || entry.devOptional || entry.peer) continue
    if (entry.dev && withoutDev) continue
    if (installed.packages[path]?.version !== entry.version)
      return `${path.slice(13)} is not at ${entry.version}`
  }
  if (!existsSync(join(root, 'node_modules', '.bin', 'node'))) return 'Node 24 is not in node_modules'
  return undefined
}

async function install(reason) {
  const from = Date.now()
  say(`installing packages, because ${reason} (npm install; about a minute at most)`)
  const npm = process.env.npm_execpath ?? ''
  const command = /npm-cli\.[cm]?js$/.test(npm) ? [process.execPath, npm] : ['npm']
  // Tests and checks need the devDependencies whatever NODE_ENV says.
  const flags = ['install', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // Another npm writes the lock file in another way; only a changed package.json is a reason to touch it.
  if (!reason.endsWith('package.json')) flags.push('--no-save')
  const code = await run([...command, ...flags], { quiet: true })
  if (code === 0) {
    say(`installed in ${Math.round((Date.now() - from) / 1000)} s`)
    if (existsSync(NODE)) return compile()
    say('npm did not install Node 24 (are install scripts switched off?). Run: npm rebuild node')
    return 1
  }
  say('npm install failed; its message is above. Without network it works only once packages are installed.')
  return code
}

/** Saves memory and time at the first start; that start works without it as well. */
async function compile() {
  const env = { NODE_COMPILE_CACHE: join(MODULES, '.cache', 'sluice') }
  // The flags of bin/sluice: the cache is only for who has the same.
  const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2']
  const code = await run(['node', ...flags, join(ROOT, 'bin', 'compile.mjs')], { quiet: true, env })
  if (code !== 0) say('compiling ahead failed; its message is above')
  return 0
}

/**
 * Runs a program with Node 24 first on its PATH and passes signals on. With `ownGroup` a Ctrl-C of the terminal
 * reaches it through this process only, and it notices by the closed IPC channel when this process is killed.
 */
function run([program, ...args], { ownGroup = false, quiet = false, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const output = quiet ? 'pipe' : 'inherit'
    // Before the child begins: a signal between the two would end this process alone, and leave the child behind.
    const release = relaySignals((signal) => child.kill(signal))
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...env, PATH: join(MODULES, '.bin') + delimiter + (process.env.PATH ?? '') },
      detached: ownGroup,
      stdio: ownGroup ? ['inherit', output, output, 'ipc'] : ['inherit', output, output],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        said += chunk
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => {
      release()
      if (quiet && code !== 0) process.stderr.write(said)
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15))
    })
  })
}

// A Ctrl-C arrives twice, from the terminal and from npm: what comes within a second is one.
function relaySignals(send) {
  let last = 0
  const relay = (signal) => {
    const now = Date.now()
    if (now - last > 1000) send(signal)
    last = now
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, relay)
  const parent = process.ppid
  // npm killed with -9 tells nobody; its child then gets another parent.
  const watch = process.env.npm_lifecycle_event
    ? setInterval(() => process.ppid !== parent && relay('SIGTERM'), 1000)
    : undefined
  return () => {
    clearInterval(watch)
    for (const signal of signals) process.off(signal, relay)
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw new Error(`${path} cannot be read: ${error.message}`)
  }
}

const say = (line) => process.stderr.write(`sluice: ${line}\n`)
