export { familiesOf, familyNames } from './families.ts'
export { keepProjections, type Rebuilt, rebuildProjections } from './projector.ts'
