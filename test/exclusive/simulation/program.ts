import { Random } from './random.js';

/** One event in the cluster, at a true time. `who` and `which` are taken modulo the number that exists then. */
export type Action =
  | { readonly at: number; readonly kind: 'start' }
  | { readonly at: number; readonly kind: 'kill' | 'stop'; readonly who: number }
  | { readonly at: number; readonly kind: 'pause' | 'suspend' | 'partition'; readonly who: number; readonly forMs: number }
  | {
      readonly at: number;
      readonly kind: 'lossy';
      readonly who: number;
      readonly forMs: number;
      readonly requests: number;
      readonly answers: number;
      readonly late: number;
    }
  | { readonly at: number; readonly kind: 'jump'; readonly who: number; readonly ms: number }
  | { readonly at: number; readonly kind: 'edit' | 'remove' | 'break' | 'mend' | 'die'; readonly which: number }
  | { readonly at: number; readonly kind: 'add' };

export interface Program {
  readonly seed: number;
  readonly replicas: number;
  readonly connections: number;
  readonly actions: readonly Action[];
  /** `false`: no machine has a clock that goes on while it sleeps. */
  readonly uptime?: boolean;
}

export const TTL = 9_000;
/** The time in which everything happens; then all is well again. */
export const TROUBLE_MS = 12 * TTL;

export function generate(seed: number): Program {
  const random = new Random(seed);
  const length = random.integer(1, 24);
  const actions = Array.from({ length }, () => action(random)).toSorted((a, b) => a.at - b.at);
  return { seed, replicas: random.integer(1, 5), connections: random.integer(1, 14), actions };
}

function action(random: Random): Action {
  const at = Math.round(random.between(0, TROUBLE_MS));
  const who = random.integer(0, 99);
  const which = who;
  const forMs = Math.round(random.chance(0.5) ? random.between(1, TTL) : random.between(TTL, 4 * TTL));
  const kind = random.pick([
    'start',
    'kill',
    'stop',
    'pause',
    'pause',
    'suspend',
    'partition',
    'partition',
    'lossy',
    'lossy',
    'jump',
    'edit',
    'edit',
    'remove',
    'add',
    'break',
    'mend',
    'die',
  ] as const);
  switch (kind) {
    case 'start':
    case 'add':
      return { at, kind };
    case 'kill':
    case 'stop':
      return { at, kind, who };
    case 'pause':
    case 'suspend':
    case 'partition':
      return { at, kind, who, forMs };
    case 'lossy':
      return {
        at,
        kind,
        who,
        forMs,
        requests: random.between(0, 0.5),
        answers: random.between(0, 0.5),
        late: random.between(0, 0.5),
      };
    case 'jump':
      return { at, kind, who, ms: random.pick([-3_600_000, 3_600_000, -2_000, 2_000, 8_000]) };
    default:
      return { at, kind, which };
  }
}
