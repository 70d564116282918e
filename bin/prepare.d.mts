export function whatIsMissing(root: string, withoutDev: boolean): string | undefined
export function main(words: readonly string[]): Promise<number>
