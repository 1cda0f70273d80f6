import { BoundedMap } from '../bounded.js';
import type { RecordContext } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { ChatAdapter } from './contract.js';
import { isChallenge, platformOf } from './platforms.js';

/** Adapters of one connection, by the name `Chat` gets them under. */
export type Adapters = Readonly<Record<string, ChatAdapter>>;

/** Makes the adapters of a row. */
export type AdapterSource<R, S> = (record: R, context: { readonly secrets: S }) => Awaitable<Adapters>;

/**
 * Adapters that verify before they are initialized, and afterwards ignore what they verified. An adapter that is not
 * in this list verifies inside its handler.
 */
const VERIFIES_WITHOUT_CHAT: ReadonlySet<string> = new Set([
  'slack',
  'telegram',
  'discord',
  'github',
  'whatsapp',
  'gchat',
  'linear',
]);

/** Making one takes up to 0.7 ms and 40 KiB (Slack), so the busiest connections keep theirs. */
const KEPT_VERIFIERS = 256;

/** Verifying adapters would log each delivery as ignored, and each forgery at its sender's will. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** The adapter a delivery is for: the only one, or the one of the platform whose headers it carries. */
export function adapterNameFor(adapters: Adapters, request: Request): string | undefined {
  const names = Object.keys(adapters);
  if (names.length === 1) return names[0];
  const platform = platformOf(request);
  // Teams and Google Chat have no header of their own.
  const open = names.filter((name) => ['teams', 'gchat'].includes(adapters[name]?.name ?? ''));
  return names.find((name) => adapters[name]?.name === platform) ?? (open.length === 1 ? open[0] : undefined);
}

/**
 * Authenticates deliveries with the vendor's own code, on the row and its secrets alone: the adapter is constructed,
 * which does no I/O, and never initialized. It rejects a bad signature, answers a challenge, and drops everything else
 * because no `Chat` is attached. The delivery is then handled by the instance.
 */
export class Verification<R extends ConnectionRecord, S> {
  readonly #adaptersOf: AdapterSource<R, S>;
  readonly #kept = new BoundedMap<{ readonly secrets: S; readonly adapters: Promise<Adapters> }>(KEPT_VERIFIERS);

  constructor(adaptersOf: AdapterSource<R, S>) {
    this.#adaptersOf = adaptersOf;
  }

  async authenticate(request: Request, context: RecordContext<R, S>): Promise<boolean | Response> {
    const adapters = await this.#verifiers(context);
    const name = adapterNameFor(adapters, request);
    const adapter = name === undefined ? undefined : adapters[name];
    if (adapter === undefined) return false;
    // Without a `webhookVerifier`, Teams verifies only once it is initialized, and answers 500 until then.
    if (adapter.name === 'teams') return (await adapter.handleWebhook(request)).status !== 401;
    if (!VERIFIES_WITHOUT_CHAT.has(adapter.name)) return true;
    const challenge = await isChallenge(adapter.name, request);
    const response = await adapter.handleWebhook(request);
    if (!response.ok) return false;
    return challenge ? response : true;
  }

  #verifiers({ record, secrets }: RecordContext<R, S>): Promise<Adapters> {
    const key = `${record.id} ${record.version}`;
    const kept = this.#kept.get(key);
    // `invalidate` brings new secrets for the same version.
    if (kept !== undefined && kept.secrets === secrets) return kept.adapters;
    const adapters = this.#make(record, secrets);
    this.#kept.set(key, { secrets, adapters });
    adapters.catch(() => { if (this.#kept.get(key)?.adapters === adapters) this.#kept.delete(key); });
    return adapters;
  }

  async #make(record: R, secrets: S): Promise<Adapters> {
    const adapters = await this.#adaptersOf(record, { secrets });
    for (const adapter of Object.values(adapters)) if ('logger' in adapter) adapter.logger = SILENT;
    return adapters;
  }
}
