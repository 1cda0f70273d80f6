import { MemoryClaims, MemoryClaimServer, type ClaimStore } from 'hydrant/exclusive';
import {
  claimConformance,
  ManualClock,
  type ClaimCapabilities,
  type ClaimStoreSettings,
  type ClaimsUnderTest,
} from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { BROKEN_CLAIMS, SETTABLE } from './support/broken-claims/index.js';
import type { Break } from './support/broken-claims/breaks.js';
import { claimFailures, type Defined } from './support/conformance.js';
import { RIGHT_CLAIMS } from './support/right-claims.js';

/** Two clients of one store of claims that is right, except for the change. */
function subject(change: Break = () => ({}), settings: ClaimStoreSettings = {}): ClaimsUnderTest {
  const clock = new ManualClock();
  let behindMs = 0;
  const settable = { now: clock.now, setTimeout: clock.setTimeout, monotonic: () => clock.monotonic() - behindMs };
  const server = new MemoryClaimServer({ clock: settable, ...settings });
  const shared = { clock, server, seen: new Map<string, any>() };
  const client = (): ClaimStore => {
    const good = new MemoryClaims({ server });
    const whole: ClaimStore = {
      claim: (request) => good.claim(request),
      renew: (request) => good.renew(request),
      release: (request) => good.release(request),
      watch: (listener) => good.watch(listener),
    };
    return { ...whole, ...change(good, shared) };
  };
  return {
    claims: client(), others: client(), wait: (ms) => clock.advance(ms), rows: () => server.rows,
    setClockBack: (ms) => { behindMs += ms * (shared.seen.get(SETTABLE) ?? 0); },
  };
}

const ALL: ClaimCapabilities = { watch: true, hintTimeoutMs: 100, forgets: true, clockSetBack: true };

describe('the claim conformance suite', () => {
  claimConformance({ describe, it: test }, (settings) => subject(undefined, settings), ALL);

  test.each(BROKEN_CLAIMS)('fails claims that $name', async ({ caughtBy, change }) => {
    expect(await claimFailures((settings) => subject(change, settings), ALL, caughtBy)).toEqual([caughtBy]);
  });

  test.each(RIGHT_CLAIMS)('passes claims that $name', async ({ change }) => {
    expect(await claimFailures((settings) => subject(change, settings), ALL)).toEqual([]);
  });

  test.each([
    { capabilities: { hintTimeoutMs: 100 }, waitedMs: 100 },
    { capabilities: {}, waitedMs: 5_000 },
  ])('waits for hints as long as $capabilities says, and no longer than it must', async ({ capabilities, waitedMs }) => {
    const HINTS = 'reports each release and each leaving replica to every watcher';
    let passed = 0;
    const waiting = (change?: Break): ClaimsUnderTest => {
      const made = subject(change);
      return {
        ...made,
        wait: (ms) => {
          passed += ms;
          return made.wait(ms);
        },
      };
    };
    const deaf: Break = () => ({ watch: async () => ({ async [Symbol.asyncDispose]() {} }) });
    expect({ failures: await claimFailures(() => waiting(deaf), { watch: true, ...capabilities }, HINTS), passed }).toEqual({
      failures: [HINTS],
      passed: waitedMs,
    });
    passed = 0;
    expect({ failures: await claimFailures(() => waiting(), { watch: true, ...capabilities }, HINTS), passed }).toEqual({
      failures: [],
      passed: 0,
    });
  });

  test('leaves no subscription behind', async () => {
    let watching = 0;
    const counted: Break = (good) => ({
      watch: async (listener) => {
        const subscription = await good.watch(listener);
        watching += 1;
        return { async [Symbol.asyncDispose]() { watching -= 1; await subscription[Symbol.asyncDispose](); } };
      },
    });
    await claimFailures((settings) => subject(counted, settings), ALL);
    expect(watching).toBe(0);
  });

  test('fails claims that lack a promised watch, and asks for it only if it is promised', async () => {
    const without = (): ClaimsUnderTest => subject(() => ({ watch: undefined as never }));
    expect(await claimFailures(without, {})).toEqual([]);
    expect(await claimFailures(without, { watch: true, hintTimeoutMs: 100 })).toEqual([
      'reports each release and each leaving replica to every watcher',
    ]);
  });

  test('asks for rows and a clock that is set back only if they are promised', async () => {
    const bare = (): ClaimsUnderTest => {
      const { claims, others, wait } = subject();
      return { claims, others, wait };
    };
    expect(await claimFailures(bare, {})).toEqual([]);
    expect(await claimFailures(bare, { forgets: true })).toHaveLength(1);
    expect(await claimFailures(bare, { clockSetBack: true })).toHaveLength(3);
  });

  test('gives every test a name of its own', () => {
    const defined: Defined[] = [];
    const groups: string[] = [];
    claimConformance(
      {
        describe: (name, define) => {
          groups.push(name);
          define();
        },
        it: (name, body) => defined.push({ name, test: body }),
      },
      () => subject(),
      ALL,
    );
    expect(groups).toEqual(['claim conformance']);
    for (const { name } of defined) expect(name).toMatch(/^[a-z]+,? .*\w/);
    expect(new Set(defined.map(({ name }) => name)).size).toBe(defined.length);
  });

  test('closes the claims of each test, even if it failed', async () => {
    const open = new Set<ClaimsUnderTest>();
    const failed = await claimFailures(() => {
      const made = { ...subject(() => ({ claim: async () => [] })), close: () => open.delete(made) };
      open.add(made);
      return made;
    }, ALL);
    expect({ failsMoreThanTen: failed.length > 10, open: open.size }).toEqual({ failsMoreThanTen: true, open: 0 });
  });

  test('measures in the given unit of time, by default half a second', async () => {
    for (const { capabilities, ttlMs } of [
      { capabilities: { ttlMs: 40 }, ttlMs: 40 },
      { capabilities: {}, ttlMs: 500 },
    ] as const) {
      const asked = new Set<number>();
      await claimFailures(
        () =>
          subject((good) => ({
            claim: (request) => {
              asked.add(request.ttlMs);
              return good.claim(request);
            },
          })),
        capabilities,
      );
      expect([...asked]).toEqual([ttlMs]);
    }
  });
});
