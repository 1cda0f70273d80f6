import { ManualClock } from 'hydrant/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConsoleLines, keyOf } from '../src/console-lines.js';

const TEN_MINUTES = 600_000;
let clock: ManualClock;
let lines: ConsoleLines;
let written: string[];

beforeEach(() => {
  clock = new ManualClock();
  lines = new ConsoleLines(clock);
  written = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => void written.push(text));
});
afterEach(() => { vi.restoreAllMocks(); });

const write = (count: number, name = 'line'): void => {
  for (let index = 0; index < count; index += 1) lines.write({ key: `${name} ${index}`, text: `${name} ${index}` });
};

test('a line is written once per key, and every time without one', () => {
  for (const key of ['a', 'b', 'a']) lines.write({ key, text: key });
  for (const text of ['x', 'x']) lines.write({ text });
  expect(written).toEqual(['a', 'b', 'x', 'x']);
});

test('writes a hundred lines in ten minutes, then the number of suppressed ones, without a further event', async () => {
  write(103);
  expect(written).toHaveLength(100);
  await clock.advance(TEN_MINUTES - 1);
  expect(written).toHaveLength(100);
  await clock.advance(1);
  expect(written.slice(100)).toEqual(['hydrant: 3 more lines were suppressed in 10 minutes']);
  await clock.advance(10 * TEN_MINUTES);
  expect(written).toHaveLength(101);
});

test('a line that repeats a key is not counted as suppressed, and a suppressed one is written when there is room', async () => {
  write(101);
  write(100);
  await clock.advance(TEN_MINUTES);
  expect(written.at(-1)).toBe('hydrant: 1 more line was suppressed in 10 minutes');
  write(101);
  expect(written.at(-1)).toBe('line 100');
});

test('the report comes before the first line of the next window if its timer is late', () => {
  const late = { now: () => 0, monotonic: () => time, setTimeout: () => () => { cancelled += 1; } };
  let [time, cancelled] = [0, 0];
  lines = new ConsoleLines(late);
  write(102);
  time = TEN_MINUTES;
  lines.write({ text: 'next' });
  expect({ last: written.slice(-2), cancelled }).toEqual({
    last: ['hydrant: 2 more lines were suppressed in 10 minutes', 'next'],
    cancelled: 1,
  });
});

test('no timer is set while nothing is suppressed, and the timer of a report does not keep the process alive', () => {
  const setTimeout = vi.spyOn(clock, 'setTimeout');
  write(100);
  expect(setTimeout).not.toHaveBeenCalled();
  write(5, 'more');
  expect(setTimeout.mock.calls.map(([, ms, options]) => ({ ms, options }))).toEqual([
    { ms: TEN_MINUTES, options: { ref: false } },
  ]);
});

test('the keys are remembered in a bounded table', async () => {
  for (let window = 0; window < 11; window += 1) {
    write(100, `window ${window}`);
    await clock.advance(TEN_MINUTES);
  }
  written.length = 0;
  write(100, 'window 10');
  expect(written).toEqual([]);
  write(1, 'window 0');
  expect(written).toEqual(['window 0 0']);
});

test('an error that cannot be printed is left out of its line, and nothing else is', () => {
  vi.spyOn(console, 'error').mockImplementation((text: string, error?: unknown) => {
    if (error !== undefined) throw error;
    written.push(text);
  });
  lines.write({ text: 'failed', error: new Error('unprintable') });
  expect(written).toEqual(['failed (the error cannot be printed)']);
});

test('the key of an error is its name and message, cut, whatever was thrown', () => {
  expect(keyOf(new TypeError('down'))).toBe('TypeError: down');
  expect(keyOf(new Error('x'.repeat(1_000)))).toHaveLength(200);
  expect(keyOf({ toString: () => { throw new Error('no'); } })).toBe('an error that cannot be printed');
});
