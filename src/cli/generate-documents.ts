// Writes the generated documents (`npm run generate:docs`).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedDocuments } from './documents.ts'
import { ROOT } from './project.ts'

for (const [path, content] of Object.entries(generatedDocuments())) {
  writeFileSync(join(ROOT, path), content)
  process.stdout.write(`${path}\n`)
}
