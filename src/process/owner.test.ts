import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isOwnerAlive, ownerOfThisProcess } from './owner.ts';

const [, place = ''] = ownerOfThisProcess().split('@');
const boot = place.split('.')[0] ?? '';

test('an owner names process, boot and namespace, and may stand in a label and in a file name', () => {
  expect(ownerOfThisProcess()).toMatch(/^\d+@[0-9a-f-]{36}\.\d+$/);
});

test('this process is alive', () => {
  expect(isOwnerAlive(ownerOfThisProcess())).toBe(true);
});

test('a process is alive until it has ended', async () => {
  const child = spawn('sleep', ['300']);
  const owner = `${child.pid ?? 0}@${place}`;
  expect(isOwnerAlive(owner)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isOwnerAlive(owner)).toBe(false);
});

test('no process of an earlier boot is alive, whatever its number', () => {
  expect(isOwnerAlive(`${process.pid}@${boot.replace(/^./, 'x')}.${place.split('.')[1] ?? ''}`)).toBe(false);
});

test('a process of another namespace cannot be asked, so it counts as alive', () => {
  expect(isOwnerAlive(`4999999@${boot}.1`)).toBe(true);
});

test.each(['', '@', `@${place}`, `0@${place}`, `-1@${place}`, `x@${place}`, `${process.pid}`])(
  'a label that names no process (%j) has no living owner',
  (owner) => expect(isOwnerAlive(owner)).toBe(false),
);
