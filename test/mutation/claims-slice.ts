import { describe, expect, test } from 'vitest';
import { generate } from '../exclusive/simulation/program.js';
import { simulate } from '../exclusive/simulation/simulate.js';

/** A short slice of the simulation of claims, for mutants: the whole of it runs in test/exclusive. */
describe('the simulation of claims, shortened', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    test(`seed ${seed}`, async () => {
      expect((await simulate(generate(seed))).violation).toBeUndefined();
    });
  }
});
