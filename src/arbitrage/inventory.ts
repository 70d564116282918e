// What the executor may still spend at each venue. Rows are locked in one order everywhere, so two executions that
// touch the same venues wait for each other instead of dead-locking.
import { and, eq, type Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText, SluiceError, ZERO } from '../kernel/index.ts'

export interface Holding {
  readonly venue: string
  readonly asset: string
  readonly amount: Decimal
}

export interface Balance {
  readonly asset: string
  readonly amount: Decimal
}

/** Reads `ASSET=amount,…`. Throws CONFIG_INVALID naming each wrong part. */
export function parseBalances(text: string, setting = 'PAPER_BALANCES'): Balance[] {
  const problems: string[] = []
  const balances = new Map<string, Decimal>()
  for (const part of text.split(',').map((p) => p.trim())) {
    if (part === '') continue
    const [, asset, amount] = /^([A-Z0-9]{1,15})=(\d+(?:\.\d+)?)$/.exec(part) ?? []
    if (asset === undefined || amount === undefined) {
      problems.push(`${setting} has ${JSON.stringify(part)}; allowed: ASSET=amount, for example BTC=0.5`)
    } else if (balances.has(asset)) problems.push(`${setting} names ${asset} twice`)
    else balances.set(asset, decimal(amount))
  }
  if (problems.length > 0) throw new SluiceError('CONFIG_INVALID', problems.join('\n'), { problems })
  return [...balances].map(([asset, amount]) => ({ asset, amount }))
}

/** Gives each venue its first balances, once: what a venue already holds stays. Returns how many rows are new. */
export async function seedInventory(tx: Tx, venues: readonly string[], balances: string): Promise<number> {
  const rows = venues.flatMap((venue) =>
    parseBalances(balances).map(({ asset, amount }) => {
      const opening = decimalText(amount)
      return { venue, asset, opening, total: opening, reserved: '0' }
    }),
  )
  if (rows.length === 0) return 0
  const { inventory } = tx.t
  const added = await tx.sql
    .insert(inventory)
    .values(rows)
    .onConflictDoNothing()
    .returning({ asset: inventory.asset })
  return added.length
}

interface LockedRow {
  readonly total: Decimal
  readonly reserved: Decimal
}

/** Total less reserved, locked until the transaction ends; 0 for what was never held. In the order given. */
export async function lockAvailable(tx: Tx, wanted: readonly Omit<Holding, 'amount'>[]): Promise<Decimal[]> {
  const rows = await lockRows(tx, wanted)
  return wanted.map((holding) => {
    const row = rows.get(keyOf(holding))
    return row ? row.total.minus(row.reserved) : ZERO
  })
}

/** Sets aside what `lockAvailable` has shown to be there. Throws USAGE when it is not. */
export async function reserve(tx: Tx, opportunityId: string, wanted: readonly Holding[]): Promise<void> {
  const { inventory, reservations } = tx.t
  const rows = await lockRows(tx, wanted)
  for (const { venue, asset, amount } of wanted) {
    const row = rows.get(keyOf({ venue, asset }))
    if (!row || row.total.minus(row.reserved).lt(amount)) {
      const facts = { opportunityId, venue, asset, amount: decimalText(amount) }
      throw new SluiceError('USAGE', `${venue} does not hold ${facts.amount} ${asset} to reserve.`, facts)
    }
    const reserved = decimalText(row.reserved.plus(amount))
    await tx.sql
      .update(inventory)
      .set({ reserved })
      .where(isRow(tx, venue, asset))
    await tx.sql.insert(reservations).values({ opportunityId, venue, asset, amount: decimalText(amount) })
  }
}

/** Ends the reservations of an execution and adds what its fills brought and took, each asset once. */
export async function settleInventory(
  tx: Tx,
  opportunityId: string,
  changes: readonly Holding[],
): Promise<void> {
  const { inventory, reservations } = tx.t
  const held = await tx.sql
    .delete(reservations)
    .where(eq(reservations.opportunityId, opportunityId))
    .returning()
  // A row that two executions are the first to need must exist before it can be locked.
  const fresh = [...changes, ...held].map(({ venue, asset }) => ({ venue, asset, ...NOTHING }))
  if (fresh.length > 0) await tx.sql.insert(inventory).values(fresh).onConflictDoNothing()
  const rows = await lockRows(tx, [...changes, ...held])
  const touched = new Map<string, { venue: string; asset: string; total: Decimal; reserved: Decimal }>()
  const rowOf = ({ venue, asset }: { venue: string; asset: string }) => {
    const key = keyOf({ venue, asset })
    const row = touched.get(key) ?? { venue, asset, ...(rows.get(key) ?? { total: ZERO, reserved: ZERO }) }
    touched.set(key, row)
    return row
  }
  for (const change of changes) {
    const row = rowOf(change)
    row.total = row.total.plus(change.amount)
  }
  for (const { venue, asset, amount } of held) {
    const row = rowOf({ venue, asset })
    row.reserved = row.reserved.minus(amount)
  }
  for (const { venue, asset, ...row } of touched.values()) {
    await tx.sql
      .update(inventory)
      .set({ total: decimalText(row.total), reserved: decimalText(row.reserved) })
      .where(isRow(tx, venue, asset))
  }
}

async function lockRows(tx: Tx, wanted: readonly Omit<Holding, 'amount'>[]): Promise<Map<string, LockedRow>> {
  const rows = new Map<string, LockedRow>()
  const inOrder = [...new Map(wanted.map((h) => [keyOf(h), h])).entries()].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )
  for (const [key, { venue, asset }] of inOrder) {
    const found = await tx.forUpdate(
      tx.sql
        .select()
        .from(tx.t.inventory)
        .where(isRow(tx, venue, asset)),
    )
    for (const { total, reserved } of found) {
      rows.set(key, { total: decimal(total), reserved: decimal(reserved) })
    }
  }
  return rows
}

const NOTHING = { opening: '0', total: '0', reserved: '0' }

const keyOf = ({ venue, asset }: Omit<Holding, 'amount'>) => `${venue} ${asset}`

const isRow = (tx: Tx, venue: string, asset: string) =>
  and(eq(tx.t.inventory.venue, venue), eq(tx.t.inventory.asset, asset))
