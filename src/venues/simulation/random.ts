// A seeded source of randomness: sfc32 (Chris Doty-Humphrey, PractRand), which passes PractRand and BigCrush.

export interface Random {
  /** In [0, 1), 32 bits. */
  uniform(): number
  /** Mean 0, variance 1. */
  normal(): number
  /** Mean 1. */
  exponential(): number
}

export function seededRandom(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, Math.trunc(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1]
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  // The author's advice: the first outputs of a small seed are alike.
  for (let i = 0; i < 12; i += 1) next()
  return {
    uniform: next,
    // Box and Muller; 1 − u because log(0) is not finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    exponential: () => -Math.log(1 - next()),
  }
}
