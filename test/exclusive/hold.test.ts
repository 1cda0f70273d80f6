import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { Hold, readInstant } from '../../src/exclusive/hold.js';

describe('the local deadline', () => {
  let clock: ManualClock;
  let hold: Hold;

  beforeEach(() => {
    clock = new ManualClock();
    hold = new Hold(1n, readInstant(clock), 1_000, clock);
  });

  test('counts from before the call was sent', async () => {
    const sentAt = readInstant(clock);
    await clock.advance(400);
    const late = new Hold(2n, sentAt, 1_000, clock);
    expect(late.remainingMs).toBe(600);
    await clock.advance(599);
    expect(late.held).toBe(true);
    await clock.advance(1);
    expect(late.held).toBe(false);
  });

  test('is moved by a renewal to ttl − margin after that was sent, not after it was answered', async () => {
    await clock.advance(500);
    const sentAt = readInstant(clock);
    await clock.advance(400);
    hold.prove(sentAt);
    expect(hold.remainingMs).toBe(600);
  });

  test('is not moved back by an answer that comes out of order', async () => {
    const early = readInstant(clock);
    await clock.advance(500);
    hold.prove(readInstant(clock));
    hold.prove(early);
    expect(hold.remainingMs).toBe(1_000);
  });

  test('goes by the wall clock where that has gone further: the machine was suspended', () => {
    clock.jumpWall(1_000);
    expect(hold.held).toBe(false);
  });

  test('goes by the monotonic clock where that has gone further: the wall clock was set back', async () => {
    clock.jumpWall(-3_600_000);
    await clock.advance(999);
    expect(hold.held).toBe(true);
    await clock.advance(1);
    expect(hold.held).toBe(false);
  });

  test('is never held again once it has ended', () => {
    hold.end();
    hold.prove(readInstant(clock));
    expect(hold.held).toBe(false);
    expect(hold.remainingMs).toBe(1_000);
  });
});
