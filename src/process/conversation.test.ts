import { describe, expect, test } from '@jest/globals';
import { converse } from './conversation.ts';

const shell = (...lines: readonly string[]) => converse('sh', ['-c', lines.join('\n')]);
const exactly = (wanted: string) => (line: string) => (line === wanted ? line : undefined);

describe('a conversation', () => {
  test('has words and lines in turn, and ends with the input', async () => {
    const echo = shell('while read word; do echo "heard $word"; done; echo "that was all"; exit 3');
    echo.say('begin');
    expect(await echo.hear(exactly('heard begin'), 30)).toBe('heard begin');
    echo.say('end');
    expect(await echo.hear(exactly('heard end'), 30)).toBe('heard end');
    const { status, stdout } = await echo.finish(30);
    expect({ status, stdout }).toEqual({ status: 3, stdout: 'heard begin\nheard end\nthat was all\n' });
  });

  test('ignores other lines, and keeps lines that came before they were read', async () => {
    const program = shell('printf "one\\n\\ntwo\\nthr"; read word; printf "ee\\n"; cat');
    await program.hear(exactly('two'), 30);
    program.say('go');
    expect(await program.hear((line) => (line.length > 3 ? line.length : undefined), 30)).toBe(5);
    await program.finish(30);
  });

  test('waits at most for the given time, and not for a program that has ended', async () => {
    const silent = shell('cat');
    expect(await silent.hear(exactly('word'), 0.05)).toBeUndefined();
    const ended = shell('echo last; exit 0');
    await ended.ended;
    expect(await ended.hear(exactly('last'), 30)).toBe('last');
    expect(await ended.hear(exactly('word'), 3600)).toBeUndefined();
    ended.say('nobody is there');
    await Promise.all([silent.finish(30), ended.finish(30)]);
  });

  test('that its partner does not end is ended', async () => {
    const deaf = converse('sh', ['-c', 'trap "" TERM; echo begun; while :; do sleep 0.1; done']);
    await deaf.hear(exactly('begun'), 30);
    expect(await deaf.finish(0)).toMatchObject({ status: null, signal: 'SIGKILL', timedOut: false });
  });

  test('of an aborted signal ends, and so does a wait for a line', async () => {
    const controller = new AbortController();
    const program = converse('sh', ['-c', 'echo begun; exec sleep 300'], { signal: controller.signal });
    await program.hear(exactly('begun'), 30);
    const waiting = program.hear(exactly('word'), 3600);
    controller.abort();
    expect(await waiting).toBeUndefined();
    expect(await program.finish(30)).toMatchObject({ status: null, signal: 'SIGTERM' });
  });

  test('with a program that does not exist reports it at its end', async () => {
    const none = converse('/nowhere/program', []);
    expect(await none.hear(exactly('word'), 3600)).toBeUndefined();
    await expect(none.finish(30)).rejects.toThrow('ENOENT');
  });

  test('with too much output is stopped, and the kept output is bounded', async () => {
    const flood = converse('yes', [], { maxStdoutBytes: 1_000_000 });
    expect(await flood.hear(exactly('word'), 3600)).toBeUndefined();
    const { signal, stdout } = await flood.finish(30);
    expect(signal).toBe('SIGKILL');
    expect(stdout.length).toBeLessThanOrEqual(1_000_000);
  });
});
