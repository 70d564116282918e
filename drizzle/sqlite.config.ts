// Read by drizzle-kit alone (`npm run generate`). Paths are relative to the folder of package.json.
import type { Config } from 'drizzle-kit'

const config: Config = { dialect: 'sqlite', schema: './schema/sqlite.ts', out: './drizzle/sqlite' }
export default config
