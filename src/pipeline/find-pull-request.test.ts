import { expect, test } from '@jest/globals';
import { ConfigurationError } from '../errors/errors.ts';
import type { TriggeringRun } from '../github/context.ts';
import type { OpenPullRequest } from '../github/pull-request.ts';
import { session } from '../session/session.test-support.ts';
import { findPullRequest, type PullRequestQuestion } from './find-pull-request.ts';

/** Which pull request a report is of, and where its measurements come from. */

const PULL: OpenPullRequest = { number: 7, baseRef: 'main', headSha: 'c0ffee', fromFork: true };
const RUN: TriggeringRun = {
  id: 5,
  attempt: 2,
  event: 'pull_request',
  headSha: 'c0ffee',
  headBranch: 'faster',
  headRepository: 'stranger/name',
  workflow: 3,
};
const ARTIFACT = { name: 'artifact 17 of run 5', text: JSON.stringify(session()) };

/** What is found, and what was asked for it. */
async function found(question: Partial<PullRequestQuestion>, texts = [ARTIFACT]) {
  const asked: string[] = [];
  const answer = <Value>(words: string, value: Value) => {
    asked.push(words);
    return Promise.resolve(value);
  };
  const reported = await findPullRequest(
    { number: undefined, triggeredBy: undefined, sessions: undefined, artifact: 'pacegate-x', ...question },
    {
      ofRun: ({ id }) => answer(`run ${id}`, { kind: 'found', pull: PULL }),
      numbered: (number) =>
        number === PULL.number
          ? answer(`number ${number}`, { kind: 'found', pull: PULL })
          : answer(`number ${number}`, { kind: 'none', reason: `pull request ${number} is closed` }),
      label: (number, { id }) => answer(`label on ${number} for run ${id}`, { kind: 'refused', reason: 'x' }),
      sessionTexts: (run, name) => answer(`${name} of ${run}`, texts),
      readSessions: (paths) => answer(paths.join(), [{ session: session(), file: '/a' }]),
    },
  );
  return { reported, asked };
}

test('a run that measured leads to its pull request and its artifact', async () => {
  const { reported, asked } = await found({ triggeredBy: RUN });
  expect(asked).toEqual(['run 5', 'pacegate-x of 5', 'label on 7 for run 5']);
  expect(reported).toMatchObject({
    kind: 'found',
    pull: PULL,
    named: [{ file: 'artifact 17 of run 5', session: { id: 'this' } }],
    measuredBy: { id: 5, attempt: 2 },
    label: { kind: 'refused' },
  });
});

test('a given number and given sessions precede the run and its artifact', async () => {
  const { reported, asked } = await found({ triggeredBy: RUN, number: 7, sessions: ['/a'] });
  expect(asked).toEqual(['number 7', '/a']);
  expect(reported).toMatchObject({ kind: 'found', pull: PULL, measuredBy: undefined });
});

test('nothing is read for a pull request that is not open', async () =>
  expect(await found({ number: 8, sessions: ['/a'] })).toEqual({
    reported: { kind: 'none', reason: 'pull request 8 is closed' },
    asked: ['number 8'],
  }));

test('a run without the artifact ended without a verdict', async () =>
  expect((await found({ triggeredBy: RUN }, [])).reported).toEqual({
    kind: 'none',
    reason: 'run 5 left no artifact pacegate-x, so it ended without a verdict',
  }));

test('a run of another event is refused before anything is asked', async () =>
  await expect(found({ triggeredBy: { ...RUN, event: 'push' } })).rejects.toThrow(ConfigurationError));
