// Who owns which partition. Every member computes the same answer from the same list, so nobody has to lead; the
// lease decides where two members disagree for a moment.
import { createHash } from 'node:crypto'

/**
 * Rendezvous hashing with a cap: each partition goes to the member with the highest hash of (member, partition) that
 * still has room. Loads differ by at most one, and a member that comes or goes moves few partitions.
 */
export function assign(members: readonly string[], partitions: number): Map<string, number[]> {
  const sorted = [...members].sort()
  const owned = new Map<string, number[]>(sorted.map((member) => [member, []]))
  if (sorted.length === 0) return owned
  const most = Math.ceil(partitions / sorted.length)
  // Only this many members may hold `most`; the others hold one less.
  let full = partitions - (most - 1) * sorted.length
  for (let partition = 0; partition < partitions; partition++) {
    const ranked = sorted
      .map((member) => ({ member, weight: weightOf(member, partition) }))
      .sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1))
    for (const { member } of ranked) {
      const held = owned.get(member)!
      const room = held.length < most - 1 || (held.length === most - 1 && full > 0)
      if (!room) continue
      held.push(partition)
      if (held.length === most) full--
      break
    }
  }
  return owned
}

const weightOf = (member: string, partition: number): number =>
  createHash('sha1').update(`${partition}\0${member}`).digest().readUInt32BE(0)
