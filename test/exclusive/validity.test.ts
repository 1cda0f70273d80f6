import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { readInstant, Validity } from '../../src/exclusive/validity.js';

describe('the local deadline', () => {
  let clock: ManualClock;
  let validity: Validity;

  beforeEach(() => {
    clock = new ManualClock();
    validity = new Validity(1n, readInstant(clock), 1_000, clock);
  });

  test('counts from before the call was sent', async () => {
    const sentAt = readInstant(clock);
    await clock.advance(400);
    const late = new Validity(2n, sentAt, 1_000, clock);
    expect(late.remainingMs).toBe(600);
    await clock.advance(599);
    expect(late.held).toBe(true);
    await clock.advance(1);
    expect(late.held).toBe(false);
  });

  test('moves with a renewal to ttl − margin after it was sent, not after it was answered', async () => {
    await clock.advance(500);
    const sentAt = readInstant(clock);
    await clock.advance(400);
    validity.prove(sentAt);
    expect(validity.remainingMs).toBe(600);
  });

  test('does not move back when answers come out of order', async () => {
    const early = readInstant(clock);
    await clock.advance(500);
    validity.prove(readInstant(clock));
    validity.prove(early);
    expect(validity.remainingMs).toBe(1_000);
  });

  test('follows the wall clock if it went further: the machine was suspended', () => {
    clock.jumpWall(999);
    expect({ held: validity.held, remainingMs: validity.remainingMs }).toEqual({ held: true, remainingMs: 1 });
    clock.jumpWall(1);
    expect({ held: validity.held, remainingMs: validity.remainingMs }).toEqual({ held: false, remainingMs: 0 });
  });

  test('follows the uptime if it went further: the machine slept and its wall clock was set back', () => {
    clock.sleep(999);
    clock.jumpWall(-999);
    expect({ held: validity.held, remainingMs: validity.remainingMs }).toEqual({ held: true, remainingMs: 1 });
    clock.sleep(1);
    clock.jumpWall(-1);
    expect({ held: validity.held, remainingMs: validity.remainingMs }).toEqual({ held: false, remainingMs: 0 });
  });

  test('follows the monotonic clock if it went further: the wall clock was set back', async () => {
    clock.jumpWall(-3_600_000);
    await clock.advance(999);
    expect(validity.held).toBe(true);
    await clock.advance(1);
    expect(validity.held).toBe(false);
  });

  test('never comes back once the claim has ended', () => {
    validity.end();
    validity.prove(readInstant(clock));
    expect({ held: validity.held, ended: validity.ended, remainingMs: validity.remainingMs }).toEqual({
      held: false,
      ended: true,
      remainingMs: 1_000,
    });
  });
});
