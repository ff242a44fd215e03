import { expect, test } from '@jest/globals';
import { IMPLIED, PURPOSES, writtenPurpose, type Implications } from './purpose.ts';
import { parseSession } from './read.ts';
import { sessionText } from './write.ts';
import { twoSided } from './session.test-support.ts';
import { observeSession } from '../evidence/observations.ts';
import { compareSession } from '../verdict/compare.ts';

const implying = (what: keyof Implications) => PURPOSES.filter((purpose) => IMPLIED[purpose][what]);

test('the settings that each purpose implies', () => {
  expect(implying('sameCode')).toEqual(['nightly', 'doctor']);
  expect(implying('skipsIdentical')).toEqual(['gate', 'confirmation', 'measurement', 'ranking', 'anchor']);
  expect(implying('judgesImages')).toEqual(['gate', 'confirmation', 'measurement', 'ranking', 'anchor']);
  expect(implying('counts')).toEqual(['gate', 'measurement']);
  expect(implying('explains')).toEqual(['gate']);
  expect(implying('answersForChange')).toEqual(['gate']);
});

const session = twoSided({ wall_time_s: [1, 1.2] });
const same = {
  ...session,
  images: session.images.map((image) => ({ ...image, identity: 'one', sizeBytes: 1000 })),
};

test.each(PURPOSES)('two identical images in a session of purpose %s', (purpose) => {
  const { identical, imageMetrics, uncounted } = observeSession({ ...same, purpose });
  const { skipsIdentical, judgesImages, counts } = IMPLIED[purpose];
  expect(identical.size > 0).toBe(skipsIdentical);
  expect(imageMetrics.length > 0).toBe(judgesImages);
  expect(uncounted !== undefined).toBe(counts);
});

test.each(PURPOSES)('a session of purpose %s is read back, and judged as it was', (purpose) => {
  const whole = { ...session, purpose };
  const read = parseSession(sessionText(whole), 'session.json');
  expect(read.purpose).toBe(writtenPurpose(purpose));
  expect(compareSession(read)).toEqual(compareSession(whole));
});

test('a check-up’s session is written as the night that earlier versions read it as', () => {
  expect(PURPOSES.filter((purpose) => writtenPurpose(purpose) !== purpose)).toEqual(['doctor']);
  expect(writtenPurpose('doctor')).toBe('nightly');
});
