// The tables of ticks in Postgres: one partition for each UTC day, made when its first tick comes. They are no part of
// the migrations: a migration is a fixed list of statements, written once for both dialects, and these tables come and
// go with the days, exist on Postgres alone, and lie in a schema of their own so that nobody compares them.
import type pg from 'pg'
import { DAY_MS, dayName, dayNumber } from './day-name.ts'

// Any number that nobody else locks: the letters "tick".
const LOCK = 0x7469636b

/**
 * The symbol and the time come first in the key: so one index serves the ranges of all sources in their order, and of
 * one source as well. Times are ns since 1970, which a float64 does not hold.
 */
const CREATE = `
create schema if not exists market;
create table if not exists market.ticks (
  time bigint not null,
  sequence bigint not null,
  bid float8 not null,
  ask float8 not null,
  bid_size float8,
  ask_size float8,
  volume float8 not null,
  flags bigint not null,
  symbol text collate "C" not null,
  source text collate "C" not null,
  broker text collate "C" not null,
  primary key (symbol, time, source, sequence)
) partition by range (time);`

// From the catalog's tables and not by to_regclass: behind an advisory lock that answers from a cache which has not
// heard of the holder's commit.
const PARENT = "select 1 from pg_tables where schemaname = 'market' and tablename = 'ticks'"
const PARTITION = `select 1 from pg_inherits i join pg_class c on c.oid = i.inhrelid
  join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'market' and c.relname = $1`

const PARTITIONS = `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
  join pg_class p on p.oid = i.inhparent join pg_namespace n on n.oid = p.relnamespace
  where n.nspname = 'market' and p.relname = 'ticks' order by 1 desc`

type Client = Pick<pg.ClientBase, 'query'>

/** Makes the schema, the table, and the partitions of the days (number of days since 1970) that are missing. */
export async function createTables(client: Client, days: readonly number[]): Promise<void> {
  await underLock(client, async () => {
    if ((await client.query(PARENT)).rows.length === 0) await client.query(CREATE)
    for (const day of days) {
      const name = partitionName(day)
      if ((await client.query(PARTITION, [name])).rows.length > 0) continue
      // Attached, not created as a partition: that would lock out readers and writers of all other days.
      await client.query(`create table market.${name} (like market.ticks including all);
        alter table market.ticks attach partition market.${name} for values from (${nanosOf(day)}) to (${nanosOf(day + 1)})`)
    }
  })
}

/** The days that have a partition, newest first. */
export async function partitionDays(client: Client): Promise<number[]> {
  const { rows } = await client.query<{ name: string }>(PARTITIONS)
  return rows.flatMap(({ name }) => dayNumber(name.slice(6).replaceAll('_', '-')) ?? [])
}

async function underLock<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  await client.query('select pg_advisory_xact_lock($1)', [LOCK])
  const value = await work()
  await client.query('commit')
  return value
}

const nanosOf = (day: number): string => `${day * DAY_MS}000000`

const partitionName = (day: number): string => `ticks_${dayName(day).replaceAll('-', '_')}`
