import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Learnt } from '../../src/hydrate/learnt.js';

/** What speaks against a row of version 1 that was read at 10. */
describe('what was learnt of a connection without a slot', () => {
  let clock: ManualClock;
  let held: boolean;
  let learnt: Learnt;
  const speaksAgainst = (): boolean => learnt.speaksAgainst('a', '1', 10);

  beforeEach(() => {
    clock = new ManualClock();
    held = true;
    learnt = new Learnt(clock, () => held);
  });

  test('another version speaks against it, if it was read at the same time or later', () => {
    learnt.withoutSlot('a', '2', 9);
    expect(speaksAgainst()).toBe(false);
    learnt.withoutSlot('a', '2', 10);
    expect(speaksAgainst()).toBe(true);
  });

  test('the same version does not', () => {
    learnt.withoutSlot('a', '1', 10);
    learnt.withoutSlot('a', '1', 10);
    expect(speaksAgainst()).toBe(false);
  });

  test('the newest read counts, in whatever order they come', () => {
    learnt.withoutSlot('a', '1', 11);
    learnt.withoutSlot('a', '2', 10);
    expect(speaksAgainst()).toBe(false);
  });

  test('of two versions in the same millisecond neither counts', () => {
    learnt.withoutSlot('a', '2', 11);
    learnt.withoutSlot('a', '1', 11);
    expect(speaksAgainst()).toBe(true);
  });

  test('nothing is kept while no webhook holds a row', () => {
    held = false;
    learnt.withoutSlot('a', '2', 10);
    held = true;
    expect(speaksAgainst()).toBe(false);
  });

  test('a hint speaks against whatever was read before', () => {
    clock.advanceSync(10);
    learnt.doubt('a');
    expect(speaksAgainst()).toBe(true);
    expect(learnt.speaksAgainst('a', '1', 11)).toBe(false);
  });

  test('hints that were lost speak against all that was read before, of any connection', () => {
    expect(learnt.speaksAgainst('a', '1', 0)).toBe(false);
    clock.advanceSync(10);
    learnt.doubtAll();
    expect([speaksAgainst(), learnt.speaksAgainst('a', '1', 11)]).toEqual([true, false]);
  });

  test('so does what is forgotten for want of room', () => {
    clock.advanceSync(10);
    for (let index = 0; index < 10_000; index += 1) learnt.withoutSlot(`c${index}`, '1', 10);
    learnt.withoutSlot('c0', '1', 10);
    expect(speaksAgainst()).toBe(false);
    learnt.withoutSlot('one more', '1', 10);
    expect([speaksAgainst(), learnt.speaksAgainst('a', '1', 11)]).toEqual([true, false]);
  });
});
