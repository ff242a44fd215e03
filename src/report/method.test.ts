import { expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { twoSided } from '../session/session.test-support.ts';
import { environmentDetail } from './details.ts';
import { methodDetail } from './method.ts';

test('for host variants the report states that nothing counts them from outside', () => {
  const session = twoSided({ wall_time_s: [1, 1] });
  expect(environmentDetail(session).body).not.toContain('from outside');
  const images = session.images.map((image) => ({ ...image, engine: 'host' as const }));
  expect(environmentDetail({ ...session, images }).body).toContain(
    '- CPU time of `a` comes from the probe only: a host variant has no container whose CPU time the kernel counts',
  );
});

test('a server’s figures are reported as those of two programs', () => {
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
    ', a server under `python load.py` from a second container or process, after 2 warm-up rounds; CPU time is the server’s, wall time is the load’s, measured from inside',
  );
  expect(body({ ...session.workload, server: { ...server, warmUp: 0 } })).not.toContain('warming up;');
});
