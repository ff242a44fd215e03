import { dirname, join } from 'node:path/posix';
import { z } from 'zod';
import { METRIC_NAME_OR_PATTERN } from '../session/metric.ts';
import type { Acceptance } from '../session/acceptance.ts';
import { fraction, legal, table } from './configuration.ts';
import { readYaml } from './document.ts';
import { configurationError, problemsOf } from './problems.ts';
import { parseFraction } from './quantities.ts';

/**
 * The file in which maintainers accept regressions: `pacegate-accepted.yml` in the folder of the configuration. The
 * base's file applies, so a change cannot accept itself.
 */

/** The file that belongs to a configuration. @param file the configuration's path in the repository */
export const acceptedFileOf = (file: string): string => join(dirname(file), 'pacegate-accepted.yml');

const VARIANT_OR_PATTERN = /^[a-z0-9*][a-z0-9._*-]{0,62}$/;

const sentence = (words: string, most: number) =>
  z.string(legal(words)).trim().min(1, legal(words)).max(most);

const acceptedFileSchema = table({
  version: z.literal(1, legal('1')),
  accepted: z.array(
    table({
      variant: z
        .string(legal("the name of a variant, or a pattern such as '*'"))
        .regex(VARIANT_OR_PATTERN, legal("the name of a variant, or a pattern such as '*'")),
      metric: z
        .string(legal("the name of a metric, or a pattern such as 'test_*'"))
        .regex(METRIC_NAME_OR_PATTERN, legal("the name of a metric, or a pattern such as 'test_*'")),
      'up-to': fraction,
      reason: sentence('why it is accepted, at most 500 characters', 500),
      author: sentence('who accepts it, at most 100 characters', 100),
      expires: z.preprocess(
        // Some YAML parsers convert it to a date.
        (value) => (value instanceof Date ? value.toISOString().slice(0, 10) : value),
        z.iso.date(legal('the last day on which it is accepted, such as 2027-03-31')),
      ),
    }),
    legal('a list of entries'),
  ),
});

/**
 * Reads the file.
 * @param file its path, for messages
 * @throws ConfigurationError with every problem at once
 */
export function readAcceptedFile(text: string, file: string): Acceptance {
  const document = readYaml(text);
  const parsed = acceptedFileSchema.safeParse(document.value);
  const unreadable = document.problems.some(({ place }) => place === 'YAML');
  const problems = [
    ...document.problems,
    ...(parsed.success || unreadable ? [] : problemsOf(parsed.error.issues, document)),
  ];
  if (!parsed.success || problems.length > 0) throw configurationError(file, problems);
  return {
    file,
    entries: parsed.data.accepted.map(({ 'up-to': upTo, ...entry }) => ({
      ...entry,
      upTo: parseFraction(String(upTo)) ?? 0,
    })),
  };
}
