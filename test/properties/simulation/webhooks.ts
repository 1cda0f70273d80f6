import type { ConnectionError, InstanceFactory, RecordContext, WebhookContext } from 'hydrant';
import { lacksPlace, placesAreFree, placesTaken } from './checks/places.js';
import { webhookAnswered } from './checks/webhooks.js';
import type { Callers, Registry } from './callers.js';
import type { Handle, SecretsHandle, SimulatedFactory } from './factory.js';
import type { Flow } from './flow.js';
import type { Model } from './model.js';
import type { Demand, Hold, Row } from './observed.js';
import type { Handling, Operation, Verdict } from './program.js';
import { outside, type World } from './world.js';

type Send = Extract<Operation, { do: 'webhook' }>;

/** One delivery as its sender, `authenticate` and the handler saw it. */
export interface Delivery {
  readonly demand: Demand;
  readonly bodyKiB: number;
  verdicts: Verdict[];
  /** The version and the secrets it was authenticated with, each time. */
  readonly rows: string[];
  handled: { how: Handling; failed: boolean; ended: boolean } | undefined;
  disconnected: boolean;
  /** The instance that a streamed response comes from. */
  hold: Hold | undefined;
  response: Response | undefined;
  /** The sender has stopped reading, or has read all. */
  bodyDone: boolean;
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
}

const CHUNK = new TextEncoder().encode('chunk');

/** Senders of webhooks, and the factory's side of serving them. */
export class SimulatedWebhooks {
  readonly #world: World;
  readonly #model: Model;
  readonly #factory: SimulatedFactory;
  readonly #flow: Flow;
  readonly #deliveries: Delivery[] = [];
  #registry: Registry | undefined;
  #callers: Callers | undefined;

  constructor(world: World, model: Model, factory: SimulatedFactory, flow: Flow) {
    this.#world = world;
    this.#model = model;
    this.#factory = factory;
    this.#flow = flow;
  }

  serveWith(registry: Registry, callers: Callers): void {
    this.#registry = registry;
    this.#callers = callers;
  }

  get hooks(): Partial<InstanceFactory<Row, Handle, SecretsHandle>> {
    const { webhooks, acknowledgeAfterMs } = this.#world.settings.factory;
    if (webhooks === 'none') return {};
    return {
      authenticate:
        webhooks === 'in-handler'
          ? 'in-handler'
          : (request: Request, context: RecordContext<Row, SecretsHandle>) => this.#authenticate(request, context),
      handleWebhook: (instance: Handle, request: Request, context: WebhookContext<Row, SecretsHandle>) =>
        this.#handle(instance, request, context),
      ...(acknowledgeAfterMs !== undefined && {
        acknowledge: { afterMs: acknowledgeAfterMs, respond: () => new Response(undefined, { status: 202 }) },
      }),
    };
  }

  /** The options of the registry. */
  get options() {
    const { maxUnauthenticated, answersLater } = this.#world.settings;
    return { maxBodyBytes: 2_048, maxUnauthenticated, ...(answersLater && { respondToFailure: this.#answerLater }) };
  }

  send(op: Send): void {
    const world = this.#world;
    if (world.settings.factory.webhooks === 'none') return;
    this.#flow.streaming = true;
    const n = world.demands.length;
    const controller = new AbortController();
    const demand: Demand = {
      n,
      kind: 'webhook',
      id: `c${op.id}`,
      timeoutMs: world.settings.acquireTimeoutMs,
      freshness: world.settings.freshness,
      controller,
      nestedIn: undefined,
      state: 'waiting',
      quietBefore: world.quiet.seq,
      began: world.note(`webhook ${n} of c${op.id} comes (${op.client}, ${op.bodyKiB} KiB)`),
    };
    demand.placesBefore = placesTaken(world, this.#model);
    world.demands.push(demand);
    const delivery: Delivery = {
      demand,
      bodyKiB: op.bodyKiB,
      verdicts: [],
      rows: [],
      handled: undefined,
      disconnected: false,
      hold: undefined,
      response: undefined,
      bodyDone: false,
      reader: undefined,
    };
    this.#deliveries.push(delivery);
    const request = new Request(`http://gateway.test/webhooks/c${op.id}`, {
      method: 'POST',
      body: 'x'.repeat(op.bodyKiB * 1024),
      headers: { 'x-delivery': String(this.#deliveries.length - 1) },
      signal: controller.signal,
    });
    const host = {
      waitUntil: (work: Promise<unknown>) => {
        void work.then(undefined, () => world.violate('G11', 'host.waitUntil was given work that rejects'));
      },
    };
    this.#registry!.handleWebhook(demand.id, request, op.host ? host : undefined).then(
      (response) => this.#answered(delivery, response, op.client),
      (error: unknown) => world.violate('G11', `handleWebhook rejected ${String(error)}`),
    );
  }

  disconnect(pick: number): void {
    const open = this.#deliveries.filter((delivery) => !delivery.disconnected && !delivery.bodyDone);
    const delivery = open[pick % open.length];
    if (delivery === undefined) return;
    delivery.disconnected = true;
    this.#world.note(`the sender of webhook ${delivery.demand.n} disconnects`);
    delivery.demand.controller!.abort();
    if (delivery.response !== undefined) this.#cancel(delivery);
  }

  /** The sender stops reading. False if nobody has a body open. */
  cancel(pick: number): boolean {
    const open = this.#deliveries.filter((delivery) => delivery.response !== undefined && !delivery.bodyDone);
    const delivery = open[pick % open.length];
    if (delivery === undefined) return false;
    this.#world.note(`the sender of webhook ${delivery.demand.n} cancels the body`);
    this.#cancel(delivery);
    return true;
  }

  #bodyDone(delivery: Delivery): void {
    delivery.bodyDone = true;
    if (delivery.hold?.lingers !== true) return;
    delivery.hold.lingers = false;
    this.#callers!.ended(delivery.hold);
  }

  #cancel(delivery: Delivery): void {
    this.#bodyDone(delivery);
    const cancelled = delivery.reader === undefined ? delivery.response?.body?.cancel() : delivery.reader.cancel();
    cancelled?.catch(() => undefined);
  }

  #answered(delivery: Delivery, response: Response, client: Send['client']): void {
    const world = this.#world;
    const { demand } = delivery;
    demand.state = 'settled';
    demand.settled = world.note(`webhook ${demand.n} is answered ${response.status}`);
    delivery.response = response;
    const timeIsUp = response.status === 503 && demand.settled.t >= demand.began.t + demand.timeoutMs;
    demand.leftEarly = delivery.verdicts.length === 0 && (response.status === 401 || timeIsUp);
    webhookAnswered(world, delivery, response, this.#model);
    if (response.body === null) this.#bodyDone(delivery);
    else if (delivery.disconnected) this.#cancel(delivery);
    else if (client !== 'status') void this.#read(delivery, response.body, client === 'slow');
  }

  async #read(delivery: Delivery, body: ReadableStream<Uint8Array>, slowly: boolean): Promise<void> {
    const world = this.#world;
    const reader = delivery.reader = body.getReader();
    try {
      for (;;) {
        if (slowly && !world.faultless) {
          const { promise, resolve } = outside<void>();
          world.await({
            kind: 'client',
            label: `reading of webhook ${delivery.demand.n}`,
            hung: false,
            settle: () => {
              resolve();
              return true;
            },
          });
          await promise;
        }
        const { done } = await reader.read();
        if (done) break;
      }
    } catch { /* the handler's stream failed */ }
    world.note(`the body of webhook ${delivery.demand.n} has ended`);
    this.#bodyDone(delivery);
  }

  async #authenticate(request: Request, { record, secrets }: RecordContext<Row, SecretsHandle>): Promise<boolean | Response> {
    const world = this.#world;
    const delivery = this.#deliveryOf(request);
    this.#factory.checkAround('authenticate');
    const verdict = world.next('authenticate');
    world.note(`webhook ${delivery.demand.n} authenticates: ${verdict}`);
    delivery.verdicts.push(verdict);
    delivery.rows.push(`v${String(record.version)} secrets ${secrets?.call}`);
    if (delivery.rows.length > 1) delivery.demand.authenticatedAgain = true;
    if (world.settings.factory.secrets && world.secretsCalls[secrets?.call]?.version !== String(record.version)) {
      world.violate('G10', `webhook ${delivery.demand.n} is authenticated with the secrets of another version`);
    }
    const decided = (): void => { delivery.demand.decidedAt ??= world.moment(); };
    if (!verdict.endsWith('Later')) decided();
    if (verdict === 'throw') throw new Error('bad signature');
    if (verdict === 'response') return new Response('challenge', { status: 222 });
    if (verdict === 'yes' || verdict === 'yesLater') delivery.demand.authentic = true;
    if (verdict === 'yes' || verdict === 'no') return verdict === 'yes';
    const { promise, resolve } = outside<boolean>();
    world.await({
      kind: 'authenticate',
      label: `authenticate ${delivery.demand.n}`,
      hung: false,
      settle: () => {
        decided();
        resolve(verdict === 'yesLater');
        return true;
      },
    });
    return promise;
  }

  /** Keeps those waiting who are refused before their row is known. */
  readonly #answerLater = (failure: ConnectionError, request: Request): Promise<undefined> | undefined => {
    if (!request.headers.has('x-delivery')) return undefined;
    const { demand } = this.#deliveryOf(request);
    const told = this.#model.webhookFailures.find(({ error, of }) => error === failure && of === undefined);
    // Otherwise a delivery that failed alike has been answered with it, and has left another.
    if (told !== undefined) told.of = demand;
    const { promise, resolve } = outside<undefined>();
    this.#world.await({
      kind: 'answer', label: `respondToFailure of webhook ${demand.n}`, hung: false,
      settle: () => { demand.decidedAt ??= this.#world.moment(); resolve(undefined); return true; },
    });
    return promise;
  };

  /** When all else is over: as many deliveries in one turn as there are places, and one more. */
  async takeAllPlaces(): Promise<void> {
    const { settings: { maxUnauthenticated } } = this.#world;
    const request = new Request('http://gateway.test/webhooks');
    for (let n = 0; n <= maxUnauthenticated; n++) void this.#registry!.handleWebhook(`last${n}`, request);
    await this.#flow.rest();
    const refused = this.#model.webhookFailures.filter(({ id, error }) => id.startsWith('last') && lacksPlace(error));
    placesAreFree(this.#world, refused.map(({ id }) => Number(id.slice('last'.length))));
  }

  #handle(handle: Handle, request: Request, context: WebhookContext<Row, SecretsHandle>): Response | Promise<Response> {
    const world = this.#world;
    const delivery = this.#deliveryOf(request);
    this.#factory.checkAround('handleWebhook');
    const how = world.next('handler');
    const handled: NonNullable<Delivery['handled']> = { how, failed: false, ended: false };
    delivery.handled = handled;
    const hold = this.#callers!.hold(delivery.demand, world.instances[handle.n]!, undefined);
    world.note(`webhook ${delivery.demand.n} is handled: ${how}`);
    if (String(context.record.version) !== hold.instance.version)
      world.violate(
        'G5',
        `webhook ${delivery.demand.n} was handled with the record of v${String(context.record.version)} on `
          + `v${hold.instance.version}`,
      );
    const end = (failed = false): void => { handled.failed = failed; handled.ended = true; };
    const text = (): Response => { end(); this.#callers!.release(hold); return new Response('done'); };
    switch (how) {
      case 'text': return text();
      case 'empty': end(); this.#callers!.release(hold); return new Response(null, { status: 204 });
      case 'throw': end(true); this.#callers!.release(hold); throw new Error('the handler threw');
      case 'readyStream': end(); this.#callers!.release(hold); return new Response(readyStream());
      case 'stream': end(); return this.#stream(hold);
      case 'waitUntil': this.#waitUntil(hold, context, () => this.#callers!.release(hold)); end(); return new Response('done');
      case 'waitUntilStream': {
        const settled: { listener?: () => void } = {};
        this.#waitUntil(hold, context, () => settled.listener?.());
        end();
        return this.#stream(hold, (listener) => { settled.listener = listener; });
      }
      case 'textLater': case 'failLater': case 'streamLater': {
        const { promise, resolve, reject } = outside<Response>();
        world.await({
          kind: 'handler', label: `handler ${delivery.demand.n}`, hung: false,
          settle: (fail) => {
            if (fail || how === 'failLater') { end(true); this.#callers!.release(hold); reject(new Error('the handler failed')); }
            else if (how === 'textLater') resolve(text());
            else { end(); resolve(this.#stream(hold)); }
            return true;
          },
        });
        return promise;
      }
    }
  }

  #waitUntil(hold: Hold, context: WebhookContext<Row, SecretsHandle>, settled: () => void): void {
    const { promise, resolve, reject } = outside<void>();
    this.#world.await({
      kind: 'waitUntil', label: `waitUntil of webhook ${hold.demand.n}`, hung: false,
      settle: (fail) => {
        settled();
        if (fail) reject(new Error('the work failed'));
        else resolve();
        return true;
      },
    });
    context.waitUntil(promise);
  }

  /** A real stream: its chunks come when the scheduler says. The instance is in use until it has ended, and `also` has. */
  #stream(hold: Hold, also?: (listener: () => void) => void): Response {
    const world = this.#world;
    let left = 1 + hold.n % 3;
    let over = false;
    let alsoOver = also === undefined;
    const release = (): void => { if (over && alsoOver && !hold.released) this.#callers!.release(hold); };
    also?.(() => { alsoOver = true; release(); });
    const finish = (): void => { over = true; release(); };
    const delivery = this.#deliveries.find((one) => one.demand === hold.demand)!;
    delivery.hold = hold;
    // Acknowledged already: then nobody gets this response, and it is cancelled.
    hold.lingers = delivery.response === undefined;
    return new Response(new ReadableStream<Uint8Array>({
      start: (controller) => {
        world.await({
          kind: 'body', label: `body of webhook ${hold.demand.n}`, hung: false,
          settle: (fail) => {
            if (over) return true;
            if (fail) {
              hold.brokeOffAt = world.moment();
              finish();
              controller.error(new Error('the stream failed'));
              return true;
            }
            if (left-- > 0) { controller.enqueue(CHUNK); return false; }
            finish();
            controller.close();
            return true;
          },
        });
      },
      cancel: () => { world.note(`the body of webhook ${hold.demand.n} is cancelled`); hold.lingers = false; finish(); },
    }));
  }

  #deliveryOf(request: Request): Delivery {
    return this.#deliveries[Number(request.headers.get('x-delivery'))]!;
  }
}

function readyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(CHUNK);
      controller.enqueue(CHUNK);
      controller.close();
    },
  });
}
