// Runs once around a whole test run: one Postgres with a migrated template, from which each test copies its own
// database. Where no Postgres can be started, the tests that ask for one say why; the others run.
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type PostgresServer, startPostgres, TEMPLATE } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the run's server; empty when there is none. */
    postgresUrl: string
    /** Why there is none. */
    postgresProblem: string
  }
}

let server: PostgresServer | undefined

export async function setup(project: TestProject): Promise<void> {
  try {
    server = await startPostgres()
    await prepareTemplate(server.url)
    project.provide('postgresUrl', server.url)
    project.provide('postgresProblem', '')
  } catch (error) {
    project.provide('postgresUrl', '')
    project.provide('postgresProblem', String(error))
    process.stderr.write(`no Postgres for this run: ${String(error)}\n`)
  }
}

export async function teardown(): Promise<void> {
  await server?.stop()
}

async function prepareTemplate(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(`create database ${TEMPLATE}`)
  await admin.end()
  const template = new URL(url)
  template.pathname = `/${TEMPLATE}`
  await migrate({ driver: 'postgres', url: template.href, clock: systemClock })
}
