// Many callers in a process of their own ask for one answer whose loader fails. Each load is noted with the time of the
// server, which all processes share.
import { isSluiceError, messageOf, systemClock } from '../../src/kernel/index.ts'
import { connectRedis, ready } from '../../src/redis/index.ts'
import { openProcess, prices, usesBoth } from './support.ts'

const { url, callers, throttleMs } = JSON.parse(process.argv[2]!) as {
  url: string
  callers: number
  throttleMs: number
}
const client = connectRedis(url, 'writer')
await ready(client)
const { views } = openProcess(url, { throttleMs })
const fail = async (): Promise<never> => {
  const [seconds, micros] = await client.time()
  await client.rpush('loads', Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000))
  throw new Error('no database')
}

process.once('disconnect', () => process.exit())
await usesBoth(views)
process.send!('ready')
await new Promise((begin) => process.once('message', begin))
const caller = async () => {
  for (;;) {
    await views.get(prices, ['BTC'], fail).then(
      () => process.send!('an answer'),
      (error: unknown) => {
        if (!isSluiceError(error) && messageOf(error) === 'no database') return
        if (!isSluiceError(error, 'CACHE_LOAD_FAILED')) process.send!(messageOf(error))
      },
    )
    await systemClock.sleep(5)
  }
}
await Promise.all(Array.from({ length: callers }, caller))
