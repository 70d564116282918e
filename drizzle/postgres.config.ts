// Read by drizzle-kit alone (`npm run generate`). Paths are relative to the folder of package.json.
import type { Config } from 'drizzle-kit'

const config: Config = { dialect: 'postgresql', schema: './schema/postgres.ts', out: './drizzle/postgres' }
export default config
