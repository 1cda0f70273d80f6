import { ConnectionRegistry, MemoryStore, type ConnectionRecord } from 'hydrant';
import { createInspector, type Inspector, type View } from 'hydrant/inspector';
import { ManualClock, RecordingFactory } from 'hydrant/testing';
import { afterEach, beforeEach, vi } from 'vitest';

type Row = ConnectionRecord & { readonly secret?: string };

export const URL_ = 'http://gateway.example/admin/connections';
/** The headers of a request that the page itself makes. */
export const OWN = { 'x-hydrant-inspector': '1', 'sec-fetch-site': 'same-origin', origin: 'http://gateway.example' };

/** A registry with an inspector that shows it. */
export class Inspected {
  readonly clock = new ManualClock();
  readonly factory = new RecordingFactory<Row>({ clock: this.clock });
  readonly registry: ConnectionRegistry<Row, any>;
  readonly inspector: Inspector;
  authorize: (request: Request) => boolean | Response = () => true;

  constructor(ids: readonly string[], options: { maxInstances: number; sweepIntervalMs?: number }) {
    this.registry = new ConnectionRegistry<Row, any>({
      store: new MemoryStore(ids.map((id) => ({ id, secret: 'xoxb-secret' }))),
      factory: this.factory,
      clock: this.clock,
      ...options,
    });
    this.inspector = createInspector(this.registry, {
      authorize: (request): boolean | Response => this.authorize(request),
      title: 'Bots',
      clock: this.clock,
    });
  }

  get(query = '', init: RequestInit = {}): Promise<Response> {
    return this.inspector(new Request(`${URL_}${query}`, init));
  }

  async data(query = ''): Promise<View> { return (await this.get(`?view=data${query}`)).json() as Promise<View>; }

  post(action: string, id: string, headers: Record<string, string> = OWN): Promise<Response> {
    return this.get(`?${new URLSearchParams({ action, id })}`, { method: 'POST', headers });
  }

  use(...ids: string[]): Promise<unknown> {
    return Promise.all(ids.map((id) => this.registry.use(id, () => {})));
  }

  async close(): Promise<void> {
    this.inspector.stop();
    await this.registry.close();
  }
}

/** Makes an `Inspected` before each test and closes it afterwards. Keeps the failures that tests provoke off the console. */
export function inspectBeforeEach(
  ids: readonly string[],
  options: { maxInstances: number; sweepIntervalMs?: number },
  use: (h: Inspected) => void,
): void {
  let inspected: Inspected;
  beforeEach(() => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    inspected = new Inspected(ids, options);
    use(inspected);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await inspected.close();
  });
}
