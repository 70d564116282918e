// The phases of a feature on its way from its former store to the new one: who is written and who answers. Each step
// changes one of the two, so that processes which disagree for a moment still agree about the other
// (docs/CUTOVER.md has the table).

export const PHASES = ['legacy', 'dual', 'shadow', 'primary', 'done'] as const
export type Phase = (typeof PHASES)[number]

/** The former store and the new one. */
export const SIDES = ['legacy', 'current'] as const
export type Side = (typeof SIDES)[number]

export interface PhaseUse {
  readonly writes: Readonly<Record<Side, boolean>>
  readonly reads: Side
  /** What is read is compared with the other store, when that one holds everything. */
  readonly compares: boolean
}

const BOTH = { legacy: true, current: true }

const USE: Readonly<Record<Phase, PhaseUse>> = {
  legacy: { writes: { legacy: true, current: false }, reads: 'legacy', compares: false },
  dual: { writes: BOTH, reads: 'legacy', compares: false },
  shadow: { writes: BOTH, reads: 'legacy', compares: true },
  primary: { writes: BOTH, reads: 'current', compares: true },
  done: { writes: { legacy: false, current: true }, reads: 'current', compares: false },
}

export const useOf = (phase: Phase): PhaseUse => USE[phase]

export const isPhase = (text: string): text is Phase => (PHASES as readonly string[]).includes(text)

export const phaseAfter = (phase: Phase): Phase | undefined => PHASES[PHASES.indexOf(phase) + 1]

export const phaseBefore = (phase: Phase): Phase | undefined => PHASES[PHASES.indexOf(phase) - 1]

export const isBehind = (one: Phase, other: Phase): boolean => PHASES.indexOf(one) < PHASES.indexOf(other)

export const isBothWritten = (phase: Phase): boolean => SIDES.every((side) => USE[phase].writes[side])

export const otherSide = (side: Side): Side => (side === 'legacy' ? 'current' : 'legacy')
