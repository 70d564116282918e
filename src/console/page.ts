// The page at `/`: a few files read once and served from memory, so that no path of a request ever touches the disk.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'

const FOLDER = join(import.meta.dirname, '../../web')
const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/console.css', 'console.css', 'text/css; charset=utf-8'],
  ['/console.js', 'console.js', 'text/javascript; charset=utf-8'],
  ['/render.js', 'render.js', 'text/javascript; charset=utf-8'],
  ['/chart.js', 'chart.js', 'text/javascript; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const

export async function page(server: FastifyInstance): Promise<void> {
  for (const [path, file, type] of FILES) {
    const content = await readFile(join(FOLDER, file))
    // The browser asks again each time: after an update the page and its script always fit.
    server.get(path, (_request, reply) => reply.type(type).header('cache-control', 'no-cache').send(content))
  }
}
