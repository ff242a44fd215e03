import { expect, test } from '@jest/globals';
import { isDownloadFault } from './download-fault.ts';

test.each([
  'a (head): the build stopped at `RUN false` of the application’s Dockerfile: exit code: 1.',
  'a (head): the base image debian:nosuch could not be pulled: docker.io/library/debian:nosuch: not found.',
])('the project’s own: %s', (message) => {
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
