import { expect, test } from '@jest/globals';
import { compareSession } from '../compare/compare.ts';
import { twoSided } from '../compare/session.test-support.ts';
import { methodDetail } from './method.ts';

test('a server’s figures are said to be two programs’', () => {
  const session = twoSided({ wall_time_s: [1, 1] });
  const server = {
    ready: 8000,
    load: ['python', 'load.py'],
    warmUp: 2,
    stop: 'SIGTERM',
    stopTimeoutSeconds: 10,
    startTimeoutSeconds: 30,
  };
  const body = (workload: typeof session.workload) =>
    methodDetail(compareSession(session), { ...session, workload }).body;
  expect(body(session.workload)).not.toContain('server');
  expect(body({ ...session.workload, server })).toContain(
    ', a server under `python load.py` from a second container or process, after 2 rounds of it for warming up; CPU is the server’s, wall time the load’s, measured from inside',
  );
  expect(body({ ...session.workload, server: { ...server, warmUp: 0 } })).not.toContain('warming up;');
});
