import { expect, test } from '@jest/globals';
import { ifExistsWhenMeasuring, uploadArtifact, type IfExists } from './artifact.ts';

/** A run's artifacts, as on GitHub: each name is unique. */
function service() {
  const kept = new Map<string, readonly string[]>();
  const client = {
    uploadArtifact: (name: string, files: string[]) => {
      if (kept.has(name))
        return Promise.reject(
          new Error(
            'Failed to CreateArtifact: Received non-retryable error: (409) Conflict: an artifact with this name already exists on the workflow run',
          ),
        );
      kept.set(name, files);
      return Promise.resolve({ id: kept.size, size: 1 });
    },
    deleteArtifact: (name: string) => {
      kept.delete(name);
      return Promise.resolve({ id: 1 });
    },
  };
  const upload = async (file: string, ifExists?: IfExists) =>
    await uploadArtifact(
      {
        name: 'pacegate-app-measured',
        files: [file],
        folder: '/',
        ...(ifExists === undefined ? {} : { ifExists }),
      },
      () => Promise.resolve(client),
    );
  return { kept, upload };
}

test('two measuring jobs of one name: the second is refused, and the first one’s session stays', async () => {
  const { kept, upload } = service();
  const first = ifExistsWhenMeasuring({ GITHUB_RUN_ATTEMPT: '1' });
  expect(await upload('/ubuntu', first)).toMatchObject({ kind: 'uploaded' });
  expect(await upload('/arm', first)).toEqual({ kind: 'taken' });
  expect([...kept]).toEqual([['pacegate-app-measured', ['/ubuntu']]]);
});

test('a measuring job that is run again replaces the artifact of its earlier attempt', async () => {
  const { kept, upload } = service();
  await upload('/first', ifExistsWhenMeasuring({ GITHUB_RUN_ATTEMPT: '1' }));
  expect(await upload('/second', ifExistsWhenMeasuring({ GITHUB_RUN_ATTEMPT: '2' }))).toMatchObject({
    kind: 'uploaded',
  });
  expect([...kept]).toEqual([['pacegate-app-measured', ['/second']]]);
});

test('a gate keeps both, for its artifact is read by people', async () => {
  const { kept, upload } = service();
  await upload('/one');
  expect(await upload('/two')).toMatchObject({ kind: 'uploaded' });
  expect([...kept.values()]).toEqual([['/one'], ['/two']]);
});

test.each([undefined, '', '1', 'x'])('the attempt %j is not a second one', (attempt) => {
  expect(ifExistsWhenMeasuring({ GITHUB_RUN_ATTEMPT: attempt })).toBe('refuse');
});
