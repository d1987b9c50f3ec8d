/**
 * Sine and cosine that are equal on every machine: Math.sin and Math.cos may differ between engines and versions in the
 * last bit, and one bit is enough to make two runs of an episode part. Only + − * / and Math.floor are used, which IEEE 754 and
 * ECMAScript define to the bit.
 *
 * The argument is reduced to |r| ≤ π/4 by subtracting a multiple of π/2 in parts whose products are exact (Cody and
 * Waite, "Software Manual for the Elementary Functions", 1980); there, Taylor's series is taken as far as its first
 * omitted term is below 2^−60 of the result.
 */

const TWO_OVER_PI = 0.6366197723675814;
/** π/2 in parts of 33 bits, so that n times a part is exact for n < 2^20. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_MIDDLE = 6.077100506303966e-11;
const HALF_PI_LOW = 2.0222662487111665e-21;

/** The greatest |x| that sin and cos take: beyond, the reduction would lose digits. */
export const GREATEST_ANGLE = 800_000;

/** sin(r + tail) for |r| ≤ π/4 and a tail below r's last digit. */
function sinNear(r: number, tail: number): number {
  const z = r * r;
  let sum = 1 / 355687428096000;
  sum = sum * z - 1 / 1307674368000;
  sum = sum * z + 1 / 6227020800;
  sum = sum * z - 1 / 39916800;
  sum = sum * z + 1 / 362880;
  sum = sum * z - 1 / 5040;
  sum = sum * z + 1 / 120;
  sum = sum * z - 1 / 6;
  return r + (r * z * sum + tail * (1 - 0.5 * z));
}

/** cos(r + tail), as above. */
function cosNear(r: number, tail: number): number {
  const z = r * r;
  let sum = 1 / -6402373705728000;
  sum = sum * z + 1 / 20922789888000;
  sum = sum * z - 1 / 87178291200;
  sum = sum * z + 1 / 479001600;
  sum = sum * z - 1 / 3628800;
  sum = sum * z + 1 / 40320;
  sum = sum * z - 1 / 720;
  sum = sum * z + 1 / 24;
  // 1 − z/2 is rounded; (1 − rounded) − z/2 is what that lost, exactly.
  const half = 0.5 * z;
  const rounded = 1 - half;
  return rounded + (1 - rounded - half + (z * z * sum - r * tail));
}

/** sin(x + quarters · π/2). */
function sinTurned(x: number, quarters: number): number {
  if (!(x >= -GREATEST_ANGLE && x <= GREATEST_ANGLE))
    throw new RangeError(`an angle is in −${GREATEST_ANGLE} … ${GREATEST_ANGLE} radians, not ${x}`);
  const n = Math.floor(x * TWO_OVER_PI + 0.5);
  const rest = x - n * HALF_PI_HIGH;
  const middle = n * HALF_PI_MIDDLE;
  // The difference and its rounding error, exactly (Knuth's two-sum).
  const difference = rest - middle;
  const back = rest - difference;
  const lost = rest - (difference + back) + (back - middle);
  const low = lost - n * HALF_PI_LOW;
  const r = difference + low;
  const tail = difference - r + low;
  const quadrant = (n + quarters) & 3;
  const value = quadrant & 1 ? cosNear(r, tail) : sinNear(r, tail);
  return quadrant & 2 ? 0 - value : value;
}

/** The sine of x radians, within 2^−52 of the true value. Throws a RangeError if |x| > GREATEST_ANGLE or x is NaN. */
export function sin(x: number): number {
  return sinTurned(x, 0);
}

/** The cosine of x radians, as `sin`. */
export function cos(x: number): number {
  return sinTurned(x, 1);
}
