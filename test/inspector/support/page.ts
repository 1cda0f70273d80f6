import { createContext, runInContext } from 'node:vm';
import type { Inspector } from 'hydrant/inspector';
import { settle, type ManualClock } from 'hydrant/testing';
import { Document, type Element } from './document.js';

const ORIGIN = 'http://gateway.example';

export interface Line {
  readonly id: string;
  readonly state: string;
  readonly version: string;
  readonly leases: string;
  readonly age: string;
  readonly leasedFor: string;
  readonly failure: string;
  readonly nextAttempt: string;
}

/** The inspector's page, opened without a browser: its own script runs in a context of its own, and asks the inspector. */
export interface Page {
  readonly document: Document;
  /** The requests of its script, oldest first: `'GET ?view=data&…'`. */
  readonly asked: string[];
  /** From now on requests fail, as where the network is gone. */
  offline: boolean;
  $(id: string): Element;
  /** The lines of the table, as the texts of their cells. */
  lines(): Line[];
  button(name: string): Element;
  /** Acts like a person, and waits for the consequences. */
  does(act: () => void): Promise<void>;
}

export async function openPage(inspector: Inspector, clock: ManualClock): Promise<Page> {
  const document = new Document(await (await inspector(new Request(`${ORIGIN}/admin`))).text());
  const page: Page = {
    document,
    asked: [],
    offline: false,
    $: (id) => document.getElementById(id) as Element,
    lines: () =>
      (document.querySelector('tbody') as Element).children.map((row) => {
        const [id, state, version, leases, age, leasedFor, failure, nextAttempt] = row.children.map((cell) => cell.textContent);
        return { id, state, version, leases, age, leasedFor, failure, nextAttempt } as Line;
      }),
    button: (name) =>
      document.named('button').find((button) => (button.getAttribute('aria-label') ?? button.textContent) === name) as Element,
    async does(act) {
      act();
      await settled();
    },
  };
  const settled = async (): Promise<void> => { for (let turn = 0; turn < 3; turn += 1) await settle(); };

  const fetch = async (address: string, { method = 'GET', ...init }: RequestInit = {}): Promise<Response> => {
    page.asked.push(`${method} ${address.replace('/admin', '')}`);
    if (page.offline) throw new TypeError('the network is gone');
    return inspector(
      new Request(ORIGIN + address, {
        method,
        ...init,
        headers: { ...(init.headers as Record<string, string>), 'sec-fetch-site': 'same-origin' },
      }),
    );
  };
  class EventSource {
    onmessage?: (event: { data: string }) => void;
    onerror?: () => void;
    readonly #closing = new AbortController();

    constructor(address: string) { void this.#read(address); }

    close(): void { this.#closing.abort(); }

    async #read(address: string): Promise<void> {
      try {
        const { body } = await fetch(address, { signal: this.#closing.signal });
        for await (const chunk of body as ReadableStream<Uint8Array>) {
          const data = /^data: (.*)\n\n$/.exec(new TextDecoder().decode(chunk))?.[1];
          if (data !== undefined && !this.#closing.signal.aborted) this.onmessage?.({ data });
        }
      } catch { /* told below */ }
      if (this.#closing.signal.aborted) return;
      this.onerror?.();
      // The stream tells browsers to wait for so long.
      clock.setTimeout(() => void (this.#closing.signal.aborted || this.#read(address)), 1_000, { ref: true });
    }
  }
  let timers = 0;
  const cancels = new Map<number, () => void>();
  const context = createContext({
    document,
    fetch,
    EventSource,
    URLSearchParams,
    location: { pathname: '/admin' },
    setTimeout: (callback: () => void, ms: number) => {
      cancels.set((timers += 1), clock.setTimeout(callback, ms, { ref: true }));
      return timers;
    },
    clearTimeout: (timer: number | undefined) => cancels.get(timer ?? 0)?.(),
  });
  runInContext(document.named('script')[0]?.textContent ?? '', context);
  await settled();
  return page;
}
