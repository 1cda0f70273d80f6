import { createServer, type RequestListener, type Server } from 'node:http';
import { expect } from 'vitest';

/** Examples are plain JavaScript, as their readers write it; `examples/tsconfig.json` checks their types. */
export function example(path: string): Promise<any> {
  return import(/* @vite-ignore */ new URL(`../../examples/${path}`, import.meta.url).href);
}

/** Something the test holds back until it lets go. */
export interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
  fail(error: Error): void;
}

export function gate<T = void>(): Gate<T> {
  let open!: (value: T) => void;
  let fail!: (error: Error) => void;
  const promise = new Promise<T>((resolve, reject) => { open = resolve; fail = reject; });
  promise.catch(() => {});
  return { promise, open, fail };
}

/** A server on a free loopback port. */
export async function listening(
  listener: RequestListener,
): Promise<AsyncDisposable & { readonly origin: string; readonly server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    server,
    origin: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Waits for what an example brings about over real sockets; a vendor's SDK may take seconds to import on a busy machine. */
export const eventually: typeof expect.poll = (probe, options) =>
  expect.poll(probe, { timeout: 20_000, interval: 10, ...options });
