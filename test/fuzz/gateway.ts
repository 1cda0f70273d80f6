import { ConnectionRegistry, type RegistryTuning } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

export interface Row { readonly id: string; readonly version: number; readonly status: 'active' | 'stopped' }

/** A gateway that counts its work for a sender. A header says whether a delivery is authentic. */
export class Gateway {
  readonly clock = new ManualClock();
  reads = 0;
  readsAtOnce = 0;
  #reading = 0;
  secrets = 0;
  creates = 0;
  handled = 0;
  readonly codes = new Map<string, number>();
  readonly registry: ConnectionRegistry<Row, object>;

  /** @param known - ids with a row: `c0` up to that many */
  constructor(known: number, tuning: RegistryTuning = {}) {
    const row = (id: string): Row | undefined => {
      const index = /^c(\d{1,6})$/.exec(id)?.[1];
      return index !== undefined && Number(index) < known ? { id, version: 1, status: 'active' } : undefined;
    };
    this.registry = new ConnectionRegistry<Row, object>({
      store: {
        get: async (id) => {
          this.reads++;
          this.readsAtOnce = Math.max(this.readsAtOnce, ++this.#reading);
          await undefined;
          this.#reading--;
          return row(id);
        },
      },
      clock: this.clock,
      ...tuning,
      factory: {
        secrets: () => { this.secrets++; return {}; },
        create: () => { this.creates++; return {}; },
        authenticate: (request) => request.headers.get('x-signature') === 'good',
        handleWebhook: async (_instance, request) => { this.handled++; await request.arrayBuffer(); return new Response('ok'); },
      },
    });
    this.registry.on('webhookFailed', ({ error: { code } }) => { this.codes.set(code, (this.codes.get(code) ?? 0) + 1); });
  }

  deliver(id: string, init: RequestInit = {}): Promise<Response> {
    return this.registry.handleWebhook(id, new Request('http://gateway.test/hook', { method: 'POST', body: 'forged', ...init }));
  }
}
