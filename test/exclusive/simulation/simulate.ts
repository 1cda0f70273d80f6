import { MemoryClaimServer } from 'hydrant/exclusive';
import { Model, Violation } from './model.js';
import { generate, TROUBLE_MS, TTL, type Action, type Program } from './program.js';
import { Random } from './random.js';
import { SimulatedReplica, type Rows } from './replica.js';
import { World } from './world.js';

/** The result of a run. */
export interface Result {
  readonly violation: string | undefined;
  readonly polls: number;
  readonly takeovers: number;
  /** Differs as soon as anything goes another way. */
  readonly trace: string;
}

/** Runs a program to its end: trouble, then peace, then everything must be owned and even. */
export async function simulate(program: Program): Promise<Result> {
  const world = new World();
  const model = new Model();
  const random = new Random(program.seed ^ 0x5eed);
  const server = new MemoryClaimServer({
    clock: { now: () => world.now, monotonic: () => world.now, setTimeout: () => () => undefined },
  });
  const rows: Rows = { records: new Map(), broken: new Set() };
  const replicas: SimulatedReplica[] = [];
  let version = 0;
  const put = (id: string): void => { version += 1; rows.records.set(id, { id, version, status: 'active' }); };
  const start = (): void => {
    const replica = new SimulatedReplica(
      replicas.length,
      world,
      model,
      server,
      rows,
      new Random(program.seed * 31 + replicas.length),
    );
    if (program.uptime === false) Object.assign(replica.machine, { uptime: undefined });
    replicas.push(replica);
  };
  const live = (): SimulatedReplica[] => replicas.filter((replica) => replica.live);
  const trace: (string | number)[] = [];
  let failure: unknown;
  const guarded = (happen: () => void) => () => {
    try { happen(); } catch (error) { failure ??= error; }
  };

  for (let n = 0; n < program.connections; n += 1) put(`c${n}`);
  for (let n = 0; n < program.replicas; n += 1) world.at(random.between(0, 1_500), start);
  for (const action of program.actions) world.at(action.at, guarded(() => perform(action)));

  const onUnhandled = (error: unknown): void => { failure ??= error; };
  process.on('unhandledRejection', onUnhandled);
  process.on('uncaughtException', onUnhandled);
  const { random: systemRandom } = Math;
  Math.random = new Random(program.seed ^ 0x1177e4).next;
  try {
    await world.until(TROUBLE_MS, stopOnFailure);
    // Peace: all faults end, paused processes continue, and at least one replica lives.
    rows.broken.clear();
    for (const replica of replicas) {
      Object.assign(replica.network, { cut: false, requests: 0, answers: 0, late: 0 });
      replica.orderly = true;
      replica.machine.resume();
    }
    if (live().length === 0) start();
    await world.until(TROUBLE_MS + 12 * TTL, stopOnFailure);
    const quietFrom = replicas.map(({ calls, provisions }) => ({ calls, provisions }));
    await world.until(TROUBLE_MS + 14 * TTL, stopOnFailure);
    checkPeace(quietFrom);
  } catch (error) {
    failure ??= error;
  } finally {
    Math.random = systemRandom;
    process.off('unhandledRejection', onUnhandled);
    process.off('uncaughtException', onUnhandled);
  }
  trace.push(model.polls, model.takeovers, ...replicas.map(({ calls, serving }) => `${calls}/${[...serving.keys()].join(',')}`));
  return {
    violation:
      failure === undefined
        ? undefined
        : failure instanceof Violation
          ? failure.message
          : String((failure as Error).stack ?? failure),
    polls: model.polls,
    takeovers: model.takeovers,
    trace: trace.join(' '),
  };

  function stopOnFailure(): void {
    if (model.violation !== undefined) throw model.violation;
    if (failure !== undefined) throw failure as Error;
  }

  function perform(action: Action): void {
    if (action.kind === 'start') return start();
    if (action.kind === 'add') return put(`n${version}`);
    if ('which' in action) {
      const ids = [...rows.records.keys()];
      const id = ids[action.which % Math.max(1, ids.length)];
      if (id === undefined) return;
      if (action.kind === 'edit') put(id);
      else if (action.kind === 'remove') rows.records.delete(id);
      else if (action.kind === 'break') rows.broken.add(id);
      else if (action.kind === 'mend') rows.broken.delete(id);
      else for (const replica of replicas) replica.die(id);
      return;
    }
    const candidates = live();
    const replica = candidates[action.who % Math.max(1, candidates.length)];
    if (replica === undefined) return;
    switch (action.kind) {
      case 'kill': return replica.kill();
      case 'stop': return replica.stop();
      case 'jump': return replica.machine.jumpWall(action.ms);
      case 'pause': case 'suspend':
        replica.machine.pause(action.kind === 'suspend');
        return world.at(world.now + action.forMs, guarded(() => replica.machine.resume()));
      case 'partition':
        replica.network.cut = true;
        return world.at(world.now + action.forMs, () => { replica.network.cut = false; });
      case 'lossy':
        Object.assign(replica.network, { requests: action.requests, answers: action.answers, late: action.late });
        return world.at(world.now + action.forMs, () => {
          Object.assign(replica.network, { requests: 0, answers: 0, late: 0 });
        });
    }
  }

  function checkPeace(quietFrom: readonly { calls: number; provisions: number }[]): void {
    const alive = live();
    const owners = [...rows.records.keys()].map((id) => ({ id, by: alive.filter((replica) => replica.serving.has(id)).length }));
    const wrong = owners.filter(({ by }) => by !== 1);
    if (wrong.length > 0)
      throw new Violation(
        `in peace ${wrong.map(({ id, by }) => `${id} has ${by} owners`).join(', ')}: `
          + `${JSON.stringify(alive.map(({ runner }) => runner.snapshot()))}`,
      );
    const loads = alive.map(({ serving }) => serving.size);
    if (Math.max(...loads) - Math.min(...loads) > 1) throw new Violation(`in peace the loads are ${loads.join(', ')}`);
    const extra = alive.flatMap(({ serving }) => Array.from(serving.keys())).filter((id) => !rows.records.has(id));
    if (extra.length > 0) throw new Violation(`in peace ${extra.join(', ')} is served and not listed`);
    for (const [index, replica] of replicas.entries()) {
      const before = quietFrom[index];
      if (before === undefined) continue;
      if (replica.stopping && replica.machine.running && !replica.stopped)
        throw new Violation(`${replica.runner.replica} has not stopped`);
      if (!replica.live) continue;
      if (replica.calls - before.calls > 3 * 18 * 1.05)
        throw new Violation(`${replica.calls - before.calls} claim queries in 18 ticks of peace`);
      if (replica.provisions !== before.provisions) throw new Violation('something is provisioned again in peace');
    }
  }
}

/** Leaves out actions for as long as the program still fails. */
export async function shrink(program: Program): Promise<Program> {
  let best = program;
  for (let size = Math.ceil(best.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.actions.length;) {
      const shorter = { ...best, actions: [...best.actions.slice(0, from), ...best.actions.slice(from + size)] };
      if ((await simulate(shorter)).violation === undefined) from += size;
      else best = shorter;
    }
  }
  return best;
}

/** The report on a failing seed. */
export async function report(seed: number): Promise<string> {
  const program = await shrink(generate(seed));
  const { violation } = await simulate(program);
  return `seed ${seed}: ${violation}\n${JSON.stringify(program, undefined, 1)}`;
}
