import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { buildFailureMessage, faultOf } from './build-failure.ts';
import { digestsOf } from './buildx.ts';
import { followProgress, readable } from './progress.ts';

/** What buildx 0.13.1 wrote to its error stream with `--progress rawjson`. */
const recorded = (name: string) =>
  readFileSync(new URL(`../../fixtures/buildx/${name}`, import.meta.url), 'utf8');

function follow(text: string, variant = 'official', side = 'head') {
  const lines: string[] = [];
  const progress = followProgress(`${variant} ${side}`, `interpreter-${variant}`, (line) => lines.push(line));
  text.split('\n').forEach(progress.feed);
  const message = () =>
    buildFailureMessage({ variant, side, step: progress.failed(), words: progress.words() });
  return { lines, progress, message };
}

test('a successful build logs each step once, and whether it came from the cache', () => {
  const { lines, progress } = follow(recorded('built.progress.txt'));
  expect(lines).toEqual([
    '[official head] FROM docker.io/library/python:3.13-slim-trixie … CACHED',
    '[official head] COPY main.py /main.py … CACHED',
    '[official head] exporting to image … 0.0 s',
  ]);
  expect(progress.failed()).toBeUndefined();
});

test('a step that fails is named with its last lines, without their colours', () => {
  const { lines, message } = follow(recorded('failing-step.progress.txt'));
  expect(lines.at(-1)).toMatch(/^\[official head\] RUN printf .* … failed$/);
  expect(message()).toBe(
    [
      "official (head): the build stopped at `RUN printf 'step \\033[31mred\\033[0m one\\nline two\\n'; python -c \"import sys; print('boom', file=sys…` of the application's Dockerfile: exit code: 3.",
      'Its last lines:',
      '  step red one',
      '  line two',
      '  boom',
      'Correct this step and run again. The other variants continued.',
    ].join('\n'),
  );
});

test("a step of the interpreter's is told apart though both linked targets name it", () => {
  const { message } = follow(recorded('failing-interpreter.progress.txt'), 'old');
  expect(message()).toMatch(/`RUN found=.*` of the interpreter's Dockerfile: exit code: 1\./);
  expect(message()).toContain('  Debian trixie has Python 3.13.5, not 3.8: ask for that version');
});

test('a base image that cannot be pulled is reported as that', () => {
  expect(follow(recorded('missing-base.progress.txt')).message()).toMatch(
    /^official \(head\): the base image docker\.io\/library\/python:9\.99-none could not be pulled: .*no such host\. Check that this name and version exist/,
  );
});

test('events on one line each are the same events', () => {
  const oneLine = recorded('failing-step.progress.txt').replace(/^\{\n[^]*?^\}$/gm, (event) =>
    JSON.stringify(JSON.parse(event)),
  );
  expect(oneLine).not.toMatch(/^\{$/m);
  expect(follow(oneLine).message()).toBe(follow(recorded('failing-step.progress.txt')).message());
});

test('if no step failed, the last error of buildx is the reason', () => {
  const { message } = follow('#0 building\nERROR: target nope does not exist\n');
  expect(message()).toBe(
    "official (head): the image could not be built: target nope does not exist\nbuildx's last lines:\n  #0 building",
  );
});

test('a buildx without events still gives the failed step and its last lines', () => {
  const { message } = follow(recorded('failing-step.plain.txt'));
  expect(message()).toMatch(
    /^official \(head\): the image could not be built: failed to solve: process .* exit code: 3\n/,
  );
  expect(message()).toMatch(/^ {2}\d+\.\d+ boom$/m);
  expect(message()).toMatch(/^ {2}3 \| >>> RUN printf/m);
});

test('broken events, floods and other text end nothing', () => {
  const { progress, lines } = follow(
    ['{', 'x'.repeat(2_000_000), '}', '{"vertexes": 3}', '{oops', ...Array<string>(1000).fill('text')].join(
      '\n',
    ),
  );
  expect(lines).toEqual([]);
  expect(progress.words().length).toBeLessThanOrEqual(12);
});

test('a long step is logged repeatedly', () => {
  const log = (seconds: number, text: string) =>
    JSON.stringify({
      logs: [
        {
          vertex: 'd',
          data: Buffer.from(text).toString('base64'),
          timestamp: `2026-01-01T00:00:${String(seconds).padStart(2, '0')}Z`,
        },
      ],
    });
  const start = JSON.stringify({
    vertexes: [{ digest: 'd', name: '[official-head 2/2] RUN make', started: '2026-01-01T00:00:00Z' }],
  });
  const { lines } = follow(
    [start, log(1, 'a\n'), log(16, 'b\n'), log(17, 'c\n'), log(40, 'd\rlast\n')].join('\n'),
  );
  expect(lines).toEqual([
    '[official head] RUN make … running for 16 s: b',
    '[official head] RUN make … running for 40 s: last',
  ]);
});

test('a shown line has no control characters and a bounded length', () => {
  expect(readable('\u001b[31mred\u001b[0m\u0007 a\tb\u202e')).toBe('red a b');
  expect(readable('x'.repeat(400))).toHaveLength(300);
});

test('the built image is read from the metadata', () => {
  const digest = 'sha256:e9f8c8ea7fac4626856f9154473b78a574968954880e19d471b68c7752f56eab';
  const metadata = recorded('metadata.json');
  expect(digestsOf(metadata, 'official-head')).toEqual([digest, digest]);
  expect(digestsOf(metadata, 'interpreter-official')).toEqual([]);
  expect(digestsOf(metadata, 'another')).toEqual([]);
  expect(digestsOf('no JSON', 'official-head')).toEqual([]);
});

describe('the reason of a failed build', () => {
  const event = (value: unknown) => JSON.stringify(value);

  test('in the middle of a step names that step, with its output', () => {
    const progress = followProgress('official head', 'interpreter-official', () => undefined);
    const started = new Date(Date.now() - 20_000).toISOString();
    progress.feed(
      event({
        vertexes: [{ digest: 'a', name: '[official-head 1/2] FROM debian', started, completed: started }],
      }),
    );
    expect(progress.running()).toBeUndefined();
    progress.feed(
      event({ vertexes: [{ digest: 'b', name: '[official-head 2/2] RUN sleep 1000', started }] }),
    );
    progress.feed(event({ logs: [{ vertex: 'b', data: Buffer.from('one\ntwo').toString('base64') }] }));
    const step = progress.running();
    expect(step).toMatchObject({
      step: 'RUN sleep 1000',
      target: 'application',
      lastLines: ['one', 'two'],
    });
    expect(step?.seconds).toBeGreaterThan(19);
    expect(step?.seconds).toBeLessThan(60);
    progress.feed(event({ vertexes: [{ digest: 'b', name: '', started, completed: started }] }));
    expect(progress.running()).toBeUndefined();
  });

  const failed = (error: string, ...lastLines: readonly string[]) =>
    faultOf({ step: { error, lastLines }, words: [] });
  const COMMAND = 'process "/bin/sh -c x" did not complete successfully: exit code: 1';

  test.each([
    [
      'failed to create endpoint x on network bridge: adding interface veth1 to bridge docker0 failed: could not find bridge docker0',
    ],
    ['rpc error: code = Unavailable desc = error reading from server: EOF'],
    ['failed to copy: write /var/lib/docker/x: no space left on device'],
    ['process "/bin/sh -c x" did not complete successfully: context canceled'],
    [
      'failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    ],
    ['failed to fetch: unexpected status from GET request to https://r.example/v2/: 503 Service Unavailable'],
  ])('is the engine’s: %s', (error) => {
    expect(failed(error)).toBe('engine');
  });

  test.each([
    [COMMAND],
    ['failed to compute cache key: "/missing": not found'],
    ['docker.io/library/python:9.99: not found'],
    ['pull access denied, repository does not exist or may require authorization'],
    ['dockerfile parse error on line 3: unknown instruction: RNU'],
  ])('is the Dockerfile’s: %s', (error) => {
    expect(failed(error)).toBe('build');
  });

  test('is an error of the Dockerfile whatever its command prints, except for a full disk', () => {
    expect(failed(COMMAND, 'connection refused', 'rpc error: code = Unavailable desc = x')).toBe('build');
    expect(failed(COMMAND, 'cp: error writing x: No space left on device')).toBe('engine');
  });

  test('is buildx’s message if no step failed', () => {
    const words = (line: string) => faultOf({ step: undefined, words: ['#1 building', line] });
    expect(
      words('ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?'),
    ).toBe('engine');
    expect(words('ERROR: failed to find target nothing')).toBe('build');
  });
});

test('a step that prints a megabyte of begun terminal commands takes no time', () => {
  const { feed, running } = followProgress('a head', undefined, () => undefined);
  feed('{"vertexes":[{"digest":"d","name":"[a 1/1] RUN x","started":"2026-01-01T00:00:00Z"}]}');
  const data = Buffer.from(`\u001b${';#'.repeat(500_000)}\nlast\n`).toString('base64');
  const begun = process.cpuUsage();
  feed(JSON.stringify({ logs: [{ vertex: 'd', data }] }));
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(3);
  expect(running()?.lastLines.at(-1)).toBe('last');
});
