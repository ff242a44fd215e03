/** Normal numbers for simulations with a known truth, from uniform ones in [0, 1). */

/** Exactly normal, by Box and Muller (1958): also the tails. */
export const normalFrom = (random: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Nearly normal: twelve uniform numbers less six. No value lies beyond 6, and few beyond 4. */
export const nearlyNormalFrom = (random: () => number) => (): number =>
  Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
