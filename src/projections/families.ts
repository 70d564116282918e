// Which projections the setting names.
import { PROJECTION_FAMILIES, type ProjectionFamily } from '../catalog/index.ts'
import { SluiceError } from '../kernel/index.ts'

/** Throws USAGE for a family that there is not. */
export function familiesOf(names: readonly string[]): ReadonlySet<ProjectionFamily> {
  const families = names.map((name) => {
    const family = PROJECTION_FAMILIES.find((one) => one === name)
    if (family) return family
    const allowed = PROJECTION_FAMILIES.join(', ')
    throw new SluiceError(
      'USAGE',
      `There is no family of projections ${JSON.stringify(name)}; allowed: ${allowed}.`,
    )
  })
  return new Set(families)
}

/** As PROJECTIONS names them. */
export const familyNames = (setting: string): string[] => setting.split(',').filter((name) => name !== '')
