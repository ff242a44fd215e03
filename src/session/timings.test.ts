import { expect, test } from '@jest/globals';
import { parseTimings } from './timings.ts';

const HEADER = 'session,side,variant,block,position,metric,value,outcome\n';

const messageOf = (text: string): string => {
  try {
    parseTimings(text, 'timings.csv');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

test('samples of a run come together; a run that is not ok has none', () => {
  expect(
    parseTimings(
      `${HEADER}s1,baseline,"a,b",1,0,wall_time_s,1.5,ok\ns1,baseline,"a,b",1,0,tasks,1e3,ok\ns1,head,"a,b",1,1,,,oom\n`,
      'timings.csv',
    ),
  ).toEqual([
    {
      session: 's1',
      side: 'baseline',
      variant: 'a,b',
      block: 1,
      position: 0,
      outcome: 'ok',
      metrics: { wall_time_s: 1.5, tasks: 1000 },
    },
    { session: 's1', side: 'head', variant: 'a,b', block: 1, position: 1, outcome: 'oom', metrics: {} },
  ]);
});

test('everything that is wrong comes at once, with its line', () => {
  expect(
    messageOf(
      `${HEADER}s1,before,a,1,0,wall_time_s,1,ok
s1,head,a,1,0,wall_time_s,NaN,ok
s1,head,a,1,0,wall_time_s,Infinity,ok
s1,head,a,1,0,wall_time_s,-1,ok
s1,head,a,x,2,wall_time_s,0x10,lost
s1,head,a,2,0,wall_time_s,1,ok
s1,head,a,2,0,wall_time_s,2,ok
s1,head,a,2,1,cpu_time_s,2,ok
s1,head,a,3,0,wall_time_s,1,oom
s1,head,a,3
s1,head,a,4,0,__proto__,1,ok
`,
    ),
  ).toMatchInlineSnapshot(`
   "The timings cannot be read; nothing was compared.
     timings.csv:2: found the side "before"; expected: baseline, head
     timings.csv:3: found the value "NaN"; expected: a finite decimal number
     timings.csv:4: found the value "Infinity"; expected: a finite decimal number
     timings.csv:5: found -1 for wall_time_s; expected: a time or a size that is not negative
     timings.csv:6: found the block "x"; expected: a whole number from 0
     timings.csv:6: found the position "2"; expected: 0, 1
     timings.csv:6: found the outcome "lost"; expected: ok, nonzero, timeout, oom, signal, engine
     timings.csv:6: found a sample of a run that is "lost"; expected: an empty metric and value where the outcome is not ok
     timings.csv:8: found wall_time_s of head a block 2 a second time; expected: one row for each session, side, variant, block and metric
     timings.csv:9: found position 1 for a run at position 0; expected: one position for a run
     timings.csv:10: found a sample of a run that is "oom"; expected: an empty metric and value where the outcome is not ok
     timings.csv:11: found 4 fields; expected: 8: session, side, variant, block, position, metric, value, outcome
     timings.csv:12: found the metric "__proto__"; expected: a name of letters, digits, _, ., / and -"
  `);
});

test.each([
  ['an unknown column', 'session,side,variant,block,position,metric,value,result\n'],
  ['no header', 's1,head,a,1,0,wall_time_s,1,ok\n'],
  ['nothing below the header', HEADER],
  ['nothing at all', ''],
  ['an open quote', `${HEADER}s1,"head,a\n`],
])('%s is refused', (_, text) => expect(messageOf(text)).toContain('timings.csv'));

test('the message on a file that is wrong everywhere is short', () => {
  const rows = Array.from({ length: 5000 }, () => `${'s'.repeat(500)},${'b'.repeat(500)},a,1,0,x,y,lost\n`);
  const message = messageOf(HEADER + rows.join(''));
  expect(message).toMatch(/\n  … and \d+ more$/);
  expect(message.length).toBeLessThan(6000);
  expect(messageOf(`${HEADER}"${'x'.repeat(100_000)}"y,head,a,1,0,x,1,ok\n`).length).toBeLessThan(1000);
});
