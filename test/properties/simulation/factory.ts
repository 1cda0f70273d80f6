import { ConnectionError, type DisposeReason, type HydrationContext, type InstanceFactory } from 'hydrant';
import type { Creation, Instance, Row, SecretsCall } from './observed.js';
import type { Behaviour, Plans } from './program.js';
import { outside, type Pending, type World } from './world.js';
import type { Model } from './model.js';

/** The error of a `create` that obeys its signal. */
export class Obeyed extends Error {
  readonly creation: Creation;
  constructor(creation: Creation) {
    super(`create ${creation.n} gave up: its signal aborted`);
    this.creation = creation;
  }
}

/** Instances are handed to callers; this is how they are recognised again. */
export interface Handle { readonly n: number }

/** The secrets of a version: their maker, and the number of the call. */
export interface SecretsHandle { readonly call: number }

/** The factory: every call behaves as the program's plans say and is told to the model. */
export class SimulatedFactory {
  readonly #world: World;
  readonly #model: Model;
  /** Set while `around` runs its work: every call of the factory must come in it. */
  insideAround = false;

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#model = model;
  }

  get factory(): InstanceFactory<Row, Handle, SecretsHandle> {
    const { factory } = this.#world.settings;
    return {
      create: (record, context) => this.#create(record, context),
      ...(factory.dispose && {
        dispose: (instance: Handle, context: { record: Row; reason: DisposeReason }) => this.#dispose(instance, context),
      }),
      ...(factory.secrets && {
        secrets: (record: Row, context: { signal: AbortSignal }) => this.#secrets(record, context.signal),
      }),
      ...(factory.maxConcurrentHydrations !== undefined && { maxConcurrentHydrations: factory.maxConcurrentHydrations }),
    };
  }

  readonly around = <T>(_record: unknown, work: () => T): T => {
    const outer = this.insideAround;
    this.insideAround = true;
    try { return work(); } finally { this.insideAround = outer; }
  };

  checkAround(what: string): void {
    if (this.#world.settings.around && !this.insideAround) this.#world.violate('around', `${what} was called outside of it`);
  }

  #create(record: Row, context: HydrationContext<SecretsHandle>): Handle | Promise<Handle> {
    const world = this.#world;
    this.checkAround('create');
    const n = world.creations.length;
    const version = String(record.version);
    const behaviour = world.next('create');
    const touched = behaviour === 'obey' || (n * 7 % 10) / 10 < world.settings.factory.touchSignal;
    const secrets = context.secrets === undefined ? undefined : world.secretsCalls[context.secrets.call];
    const creation: Creation = {
      n, id: record.id, version, read: world.reads[record.readNumber]!, secrets, failed: false, abortedByWaiters: false,
      began: world.note(`create ${n} ${record.id} v${version} from read ${record.readNumber} (${behaviour})`),
      retire: (cause) => context.retire(cause), cleanUps: { registered: 0, ran: 0 }, quietBefore: world.quiet.seq,
    };
    world.creations.push(creation);
    this.#model.createBegan(creation);
    if (touched) {
      context.signal.addEventListener('abort', () => {
        creation.aborted = world.note(`create ${n} aborted`);
        this.#model.createAborted(creation);
      });
    }
    if ((n * 3 % 10) / 10 < world.settings.factory.touchSignal) {
      creation.superseded = context.superseded;
      creation.superseded.addEventListener('abort', () => world.note(`create ${n} hears that it is superseded`));
    }
    for (let count = n % 3; count > 0; count--) this.#addCleanUp(creation, context);
    const made = (): Handle => {
      creation.ended = world.note(`create ${n} made instance ${world.instances.length}`);
      const instance: Instance = {
        n: world.instances.length,
        id: record.id,
        version,
        creation,
        born: creation.ended,
        disposals: 0,
        holds: new Set(),
      };
      if (creation.retired !== undefined) instance.retired = creation.retired;
      creation.instance = instance;
      world.instances.push(instance);
      return { n: instance.n };
    };
    const failed = (error: Error): Error => {
      creation.ended = world.note(`create ${n} failed: ${error.message}`);
      creation.failed = true;
      return error;
    };
    return this.#behave(
      'create',
      `create ${n}`,
      behaviour,
      made,
      failed,
      behaviour === 'obey' ? { signal: context.signal, error: () => new Obeyed(creation) } : undefined,
    );
  }

  /** Clean-ups run last first, after dispose, exactly once, also when create fails. */
  #addCleanUp(creation: Creation, context: HydrationContext<SecretsHandle>): void {
    const world = this.#world;
    const place = creation.cleanUps.registered++;
    context.onDispose(() => {
      this.checkAround('a clean-up');
      world.note(`clean-up ${place} of create ${creation.n}`);
      const expected = creation.cleanUps.registered - 1 - creation.cleanUps.ran;
      if (place !== expected) world.violate('G3', `clean-up ${place} of create ${creation.n} ran where ${expected} was next`);
      if (creation.instance !== undefined && world.settings.factory.dispose && creation.instance.disposals === 0) {
        world.violate('G3', `clean-up ${place} of create ${creation.n} ran before dispose`);
      }
      creation.cleanUps.ran++;
      if (creation.instance !== undefined && creation.instance.disposeBegan === undefined)
        this.#model.disposeBegan(creation.instance, undefined);
      return this.#behave(
        'cleanUp',
        `clean-up ${place} of create ${creation.n}`,
        world.next('cleanUp'),
        () => undefined,
        (error) => error,
      );
    });
  }

  #dispose(handle: Handle, { record, reason }: { record: Row; reason: DisposeReason }): void | Promise<void> {
    const world = this.#world;
    this.checkAround('dispose');
    const instance = world.instances[handle.n]!;
    const behaviour = world.next('dispose');
    world.note(`dispose ${instance.n} ${reason} (${behaviour})`);
    if (String(record.version) !== instance.version || record.id !== instance.id) {
      world.violate(
        'G3',
        `instance ${instance.n} of ${instance.id} v${instance.version} was disposed of with the record of ${record.id} `
          + `v${String(record.version)}`,
      );
    }
    instance.disposals++;
    this.#model.disposeBegan(instance, reason);
    const ended = (): void => { instance.disposeEnded = world.note(`dispose ${instance.n} ended`); };
    return this.#behave('dispose', `dispose ${instance.n}`, behaviour, ended, (error) => { ended(); return error; });
  }

  #secrets(record: Row, signal: AbortSignal): SecretsHandle | Promise<SecretsHandle> {
    const world = this.#world;
    this.checkAround('secrets');
    const n = world.secretsCalls.length;
    const behaviour = world.next('secrets');
    const call: SecretsCall = {
      n,
      id: record.id,
      version: String(record.version),
      began: world.note(`secrets ${n} ${record.id} v${String(record.version)} (${behaviour})`),
      quietBefore: world.quiet.seq,
      failed: false,
    };
    world.secretsCalls.push(call);
    this.#model.secretsBegan(call);
    signal.addEventListener('abort', () => { call.aborted = world.note(`secrets ${n} aborted`); });
    const made = (): SecretsHandle => { call.ended = world.note(`secrets ${n} resolved`); return { call: n }; };
    const failed = (error: Error): Error => { call.ended = world.note(`secrets ${n} failed`); call.failed = true; return error; };
    return this.#behave(
      'secrets',
      `secrets ${n}`,
      behaviour,
      made,
      failed,
      behaviour === 'obey' ? { signal, error: () => new Error(`secrets ${n} gave up`) } : undefined,
    );
  }

  #behave<T>(
    kind: keyof Plans & Pending['kind'], label: string, behaviour: Behaviour, made: () => T, failed: (error: Error) => Error,
    obedience?: { signal: AbortSignal; error: () => Error },
  ): T | Promise<T> {
    switch (behaviour) {
      case 'now':
        return made();
      case 'throw':
        throw failed(new Error(`${label} threw`));
      case 'soon':
        return Promise.resolve(made());
      case 'fail':
        return Promise.reject(failed(new Error(`${label} failed`)));
      case 'refuse':
        return Promise.reject(failed(new ConnectionError('HYDRATION_FAILED', `${label} failed for good`, { retryable: false })));
    }
    const { promise, resolve, reject } = outside<T>();
    const item: Pending = {
      kind, label, hung: behaviour === 'hang',
      settle: (fail) => { if (fail) reject(failed(new Error(`${label} failed`))); else resolve(made()); return true; },
    };
    this.#world.await(item);
    obedience?.signal.addEventListener('abort', () => {
      if (!this.#world.pending.includes(item)) return;
      this.#world.drop(item);
      reject(failed(obedience.error()));
    });
    return promise;
  }
}
