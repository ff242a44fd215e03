/** Units of business metrics, and how to convert between them. */

interface Unit {
  /** Units of one dimension can be converted: `time`, `bytes`, `bytes/time`. */
  readonly dimension: string;
  /** In the dimension's own unit: seconds, bytes, hertz. */
  readonly factor: number;
}

/** `KB` is not here: it is 1000 bytes to some tools and 1024 to others. Case matters, because `ms` and `MS` differ. */
const UNITS: ReadonlyMap<string, Unit> = new Map(
  (
    [
      ['time', 1e-12, 'ps', 'picosecond', 'picoseconds'],
      ['time', 1e-9, 'ns', 'nanosecond', 'nanoseconds'],
      ['time', 1e-6, 'us', '\u00b5s', '\u03bcs', 'usec', 'microsecond', 'microseconds'],
      ['time', 1e-3, 'ms', 'msec', 'millisecond', 'milliseconds'],
      ['time', 1, 's', 'sec', 'secs', 'second', 'seconds'],
      ['time', 60, 'min', 'mins', 'minute', 'minutes'],
      ['time', 3600, 'h', 'hr', 'hour', 'hours'],
      ['bytes', 1, 'B', 'byte', 'bytes'],
      ['bytes', 1e3, 'kB', 'kilobyte', 'kilobytes'],
      ['bytes', 1e6, 'MB', 'megabyte', 'megabytes'],
      ['bytes', 1e9, 'GB', 'gigabyte', 'gigabytes'],
      ['bytes', 1e12, 'TB'],
      ['bytes', 2 ** 10, 'KiB', 'kibibyte', 'kibibytes'],
      ['bytes', 2 ** 20, 'MiB', 'mebibyte', 'mebibytes'],
      ['bytes', 2 ** 30, 'GiB', 'gibibyte', 'gibibytes'],
      ['bytes', 2 ** 40, 'TiB'],
      ['frequency', 1, 'Hz', 'hertz'],
      ['frequency', 1e3, 'kHz'],
      ['frequency', 1e6, 'MHz'],
      ['frequency', 1e9, 'GHz'],
      ['share', 1, '1'],
      ['share', 0.01, '%', 'percent'],
    ] as const
  ).flatMap(([dimension, factor, ...names]) => names.map((name) => [name, { dimension, factor }] as const)),
);

/** A unit, or a rate of one: `MB/s`, `tasks/min`. The text before the `/` may be any word. */
function unitOf(text: string): Unit | undefined {
  const known = UNITS.get(text);
  if (known !== undefined) return known;
  const [above = '', below = '', ...more] = text.split('/').map((part) => part.trim());
  const per = UNITS.get(below);
  if (per === undefined || more.length > 0) return undefined;
  const of = UNITS.get(above) ?? { dimension: JSON.stringify(above), factor: 1 };
  return { dimension: `${of.dimension}/${per.dimension}`, factor: of.factor / per.factor };
}

/** Whether other units are similar, as for `ms` and not for `tasks`. */
export const isConvertible = (unit: string): boolean => unitOf(unit) !== undefined;

/** The factor that converts a value into another unit. @returns undefined if the units are of different kinds */
export function unitFactor(from: string, to: string): number | undefined {
  if (from === to) return 1;
  const [source, target] = [unitOf(from), unitOf(to)];
  return target !== undefined && source?.dimension === target.dimension
    ? source.factor / target.factor
    : undefined;
}

/** A value in another unit; a factor below one divides, so that 900 us are 0.9 ms and not 0.8999999. */
export const converted = (value: number, factor: number): number =>
  factor >= 1 ? value * rounded(factor) : value / rounded(1 / factor);

/** Factors are ratios of decimals, so their last bits are rounding errors. */
const rounded = (factor: number): number => Number(factor.toPrecision(15));
