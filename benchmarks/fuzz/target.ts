/** What the fuzzer calls: one parser, named by FUZZ_PARSER, with the bytes that it made. */
import { z } from 'zod';
import { readAs } from '../../src/main/parsers.test-support.ts';

// Compiled schemas are made by `new Function`, into which the fuzzer cannot see.
z.config({ jitless: true });

const parser = process.env['FUZZ_PARSER'] ?? '';

export function fuzz(data: Buffer): void {
  readAs(parser, data.toString('utf8'));
}
