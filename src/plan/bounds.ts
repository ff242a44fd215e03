import { isConvertible, converted, unitFactor } from '../session/units.ts';
import { parseBytes, parseDuration } from './quantities.ts';

/** Reads `max` and `min` of a metric: a number with its unit (`300ms`, `200 MiB`, `5%`), or a number alone. */

const WRITTEN = /^(?<amount>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(?<unit>\S.{0,29})?$/;

/** A bound in a unit; or what a reader has to write instead. */
export type Bound = { readonly value: number; readonly unit: string } | string;

const isTime = (unit: string) => unitFactor(unit, 's') !== undefined;
const isSize = (unit: string) => unitFactor(unit, 'bytes') !== undefined;

/**
 * @param unit of the metric's values; empty if the configuration does not know it, and then a bound's own unit is taken
 */
export function boundIn(given: string | number, unit: string): Bound {
  const example = isTime(unit)
    ? '300ms'
    : isSize(unit)
      ? '200MiB'
      : unit === ''
        ? '300ms or 20'
        : `20 ${unit}`;
  const text = String(given).trim();
  const { amount, unit: own } = WRITTEN.exec(text)?.groups ?? {};
  const value = Number(amount);
  if (amount !== undefined && Number.isFinite(value)) {
    if (own === undefined) {
      if (!isTime(unit) && !isSize(unit)) return { value, unit };
      return `a number with its unit, such as ${example}`;
    }
    if (unit === '' && isConvertible(own)) return { value, unit: own };
    const factor = unitFactor(own, unit);
    if (factor !== undefined) return { value: converted(value, factor), unit };
  }
  // Durations and sizes as other keys have them, such as 1m30s and 512m.
  const seconds = isTime(unit) ? parseDuration(text) : undefined;
  if (seconds !== undefined) return { value: converted(seconds, unitFactor('s', unit) ?? 1), unit };
  const bytes = isSize(unit) ? parseBytes(text) : undefined;
  if (bytes !== undefined) return { value: converted(bytes, unitFactor('bytes', unit) ?? 1), unit };
  return `${unit === '' ? 'a number, or one with a unit such as ms, s, MiB or %' : `a number in ${unit}, or in a unit of the same kind`}, such as ${example}`;
}
