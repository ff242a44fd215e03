import { expect, test } from '@jest/globals';
import { isDownloadFault, isEngineFault } from './engine-fault.ts';

test.each([
  'a (head): the image could not be built: failed to solve: failed to create endpoint x on network bridge: no such device',
  'a (head): the build stopped at `RUN pip install .` of the application’s Dockerfile: network bridge not found.',
  'a (head): the image could not be built: rpc error: code = Unavailable desc = error reading from server: EOF',
  'a (head): Cannot connect to the Docker daemon at unix:///var/run/docker.sock',
  'a (head): the build stopped at `COPY . .`: write /app/x: no space left on device.',
  'a (head): the image could not be built: failed to solve: Canceled: context canceled',
])('the engine’s own: %s', (message) => {
  expect(isEngineFault(message)).toBe(true);
});

test.each([
  'a (head): the build stopped at `RUN false` of the application’s Dockerfile: exit code: 1.',
  'a (head): the base image debian:nosuch could not be pulled: docker.io/library/debian:nosuch: not found.',
])('the project’s own: %s', (message) => {
  expect(isEngineFault(message)).toBe(false);
  expect(isDownloadFault(message)).toBe(false);
});

test.each([
  'the base image r.example/x:1 could not be pulled: dial tcp: lookup r.example: no such host.',
  'the build stopped at `RUN apt-get update`: exit code: 100.\n  Temporary failure resolving deb.debian.org',
  'E: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease',
  'net/http: TLS handshake timeout',
  'toomanyrequests: You have reached your pull rate limit',
  'unexpected status: 503 Service Unavailable',
])('a download that is away: %s', (message) => {
  expect(isDownloadFault(message)).toBe(true);
});
