import { ConnectionRegistry, isConnectionError, type MemoryStore, type RegistryTuning } from 'hydrant';
import { MemoryStore as Rows } from 'hydrant';

export interface Instance { readonly id: string; disposed: boolean }

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A registry with a factory that counts, on the system's clock. */
export class Plant {
  created = 0;
  disposed = 0;
  /** Defects: an instance that was handed out after its dispose, or disposed of twice. */
  readonly wrongs: string[] = [];
  readonly rows: MemoryStore<{ id: string }> = new Rows<{ id: string }>();
  readonly registry: ConnectionRegistry<Awaited<ReturnType<MemoryStore<{ id: string }>['put']>>, Instance>;
  /** One in so many creates fails; 0: none. */
  failEvery = 0;
  /** One in so many reads fails; 0: none. */
  failReadEvery = 0;
  peak = 0;
  #creates = 0;
  #reads = 0;

  constructor(tuning: RegistryTuning) {
    const { rows } = this;
    this.registry = new ConnectionRegistry({
      store: {
        get: async (id: string) => {
          if (this.failReadEvery > 0 && ++this.#reads % this.failReadEvery === 0) throw new Error('the store is away');
          return rows.get(id);
        },
      },
      factory: {
        create: async ({ id }: { id: string }) => {
          await turn();
          if (this.failEvery > 0 && ++this.#creates % this.failEvery === 0) throw new Error('no');
          this.created++;
          this.peak = Math.max(this.peak, this.created - this.disposed);
          return { id, disposed: false };
        },
        dispose: async (instance: Instance) => {
          if (instance.disposed) this.wrongs.push(`${instance.id} was disposed of twice`);
          instance.disposed = true;
          this.disposed++;
          await turn();
        },
        authenticate: (request: Request) => request.headers.get('x-signature') === 'good',
        handleWebhook: (instance: Instance, request: Request, { waitUntil }) => {
          this.check(instance);
          const kind = request.headers.get('x-kind');
          if (kind === 'background') waitUntil(turn().then(() => this.check(instance)));
          if (kind !== 'stream') return new Response('ok');
          let cancelled = false;
          return new Response(new ReadableStream<Uint8Array>({
            cancel: () => { cancelled = true; },
            pull: async (controller) => {
              await turn();
              // A cancel lets the instance go at once, even if the source is busy.
              if (cancelled) return;
              this.check(instance);
              controller.enqueue(new TextEncoder().encode('chunk'));
              if (Math.random() < 0.4) controller.close();
            },
          }));
        },
      },
      ...tuning,
    });
    // These failures are intended.
    for (const event of ['hydrationFailed', 'storeFailed', 'webhookFailed', 'disposeFailed'] as const)
      this.registry.on(event, () => {});
  }

  check(instance: Instance): void {
    if (instance.disposed) this.wrongs.push(`${instance.id} was used after its dispose`);
  }

  /** Accepts the errors that a caller may get. Any other one is a defect. */
  expected = (error: unknown): void => {
    if (!isConnectionError(error) && !(error instanceof Error && error.message === 'left'))
      this.wrongs.push(`a use rejected ${String(error)}`);
  };

  /** Waits until nothing is under way, and compares the books. */
  async balance(): Promise<void> {
    for (let patience = 0; patience < 1_000; patience++) {
      await turn();
      const { hydrating, connections } = this.registry.snapshot();
      if (hydrating === 0 && connections.every(({ state }) => state !== 'disposing')) break;
    }
    const { live, draining } = this.registry.snapshot();
    if (this.created - this.disposed !== live + draining) {
      this.wrongs.push(`created ${this.created} - disposed ${this.disposed} is not live ${live} + draining ${draining}`);
    }
  }
}
