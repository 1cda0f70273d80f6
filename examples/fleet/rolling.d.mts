import type { ConnectionRegistry } from 'hydrant';
import type { ManualClock } from 'hydrant/testing';

export declare const TRAFFIC: Readonly<Record<'uniform' | 'skewed', (share: number) => number>>;
export declare const WARM_UPS: readonly ['none', 'before traffic', 'during traffic'];

/** Creates instances of these connections, a few at a time. */
export declare function warmUp(registry: Pick<ConnectionRegistry<any, any>, 'use'>, ids: readonly string[]): Promise<void>;

/** `waited`: uses that had to wait for a create. */
export declare function rollingDeploy(
  hydrant: Pick<typeof import('hydrant'), 'ConnectionRegistry' | 'MemoryStore'>,
  clock: ManualClock,
  options: { warm: (typeof WARM_UPS)[number]; pick: (share: number) => number },
): Promise<{ deploySeconds: number; creates: number; waited: number; longestMs: number }>;
