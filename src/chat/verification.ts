import { BoundedMap } from '../bounded.js';
import type { RecordContext } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { ChatAdapter } from './contract.js';
import { claim } from './owners.js';
import { platformOf, PLATFORMS } from './platforms.js';

/** Adapters of one connection, by the name `Chat` gets them under. */
export type Adapters = Readonly<Record<string, ChatAdapter>>;

/** Makes the adapters of a row. */
export type AdapterSource<R, S> = (record: R, context: { readonly secrets: S }) => Awaitable<Adapters>;

/** Making one takes up to 0.7 ms and 40 KiB (Slack), so the busiest connections keep theirs. */
const KEPT_VERIFIERS = 256;

interface Kept<S> { readonly version: string; readonly secrets: S; readonly adapters: Promise<Adapters> }

/** Verifying adapters would log each delivery as ignored, and each forgery at its sender's will. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** The adapter a delivery is for, after its key: the only one, or the one of the platform whose headers it carries. */
export function adapterFor(adapters: Adapters, request: Request): readonly [key: string, adapter: ChatAdapter] | undefined {
  const all = Object.entries(adapters);
  const platform = platformOf(request);
  const headerless = all.filter(([, { name }]) => PLATFORMS.get(name)?.isSender === null);
  return onlyOf(all) ?? all.find(([, { name }]) => name === platform) ?? onlyOf(headerless);
}

function onlyOf<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

/**
 * Authenticates deliveries with the vendor's own code, on the row and its secrets alone: the adapter is constructed,
 * which does no I/O, and never initialized. It rejects a bad signature, answers a challenge, and drops everything else
 * because no `Chat` is attached. The delivery is then handled by the instance.
 */
export class Verification<R extends ConnectionRecord, S> {
  readonly #adaptersOf: AdapterSource<R, S>;
  /** By the connection's id. */
  readonly #kept = new BoundedMap<Kept<S>>(KEPT_VERIFIERS);
  /** The secrets that deliveries for a row were verified with. */
  readonly #secretsOf = new WeakMap<R, S>();

  constructor(adaptersOf: AdapterSource<R, S>) {
    this.#adaptersOf = adaptersOf;
  }

  async authenticate(request: Request, { record, secrets }: RecordContext<R, S>): Promise<boolean | Response> {
    const adapters = await this.#verifiers(record, secrets);
    const adapter = adapterFor(adapters, request)?.[1];
    if (adapter === undefined) return false;
    const platform = PLATFORMS.get(adapter.name);
    // An adapter of the application's own verifies in its handler, as the SDK asks of every adapter.
    if (platform === undefined) return true;
    const challenge = await platform.isChallenge?.(request);
    const response = await adapter.handleWebhook(request);
    // Without a `webhookVerifier`, Teams answers 500 until it is initialized, and then its handler verifies.
    if (platform.verifiesInHandler ? response.status === 401 : !response.ok) return false;
    this.#secretsOf.set(record, secrets);
    return challenge ? response : true;
  }

  /** The answer of the vendor's adapter while it handles nothing. `undefined` if it has not verified the delivery. */
  async answerOf(request: Request, record: R): Promise<Response | undefined> {
    if (!this.#secretsOf.has(record)) return undefined;
    const adapters = await this.#verifiers(record, this.#secretsOf.get(record) as S);
    const response = await adapterFor(adapters, request)?.[1].handleWebhook(request);
    return response?.ok ? response : undefined;
  }

  #verifiers(record: R, secrets: S): Promise<Adapters> {
    const { id } = record;
    const version = String(record.version);
    const kept = this.#kept.get(id);
    // `invalidate` brings new secrets for the same version.
    if (kept !== undefined && kept.version === version && kept.secrets === secrets) return kept.adapters;
    const adapters = this.#make(record, secrets);
    this.#kept.set(id, { version, secrets, adapters });
    adapters.catch(() => { if (this.#kept.get(id)?.adapters === adapters) this.#kept.delete(id); });
    return adapters;
  }

  async #make(record: R, secrets: S): Promise<Adapters> {
    const adapters = await this.#adaptersOf(record, { secrets });
    for (const adapter of Object.values(adapters)) {
      // An adapter of the application's own is not called here, so it may be that of the instance.
      if (!PLATFORMS.has(adapter.name)) continue;
      claim(adapter, { factory: this, name: `the verification of connection '${record.id}'` });
      Object.assign(adapter, { logger: SILENT });
    }
    return adapters;
  }
}
