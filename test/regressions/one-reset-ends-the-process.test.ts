import { readFileSync } from 'node:fs';
import { transform } from 'esbuild';
import type { InstanceFactory } from 'hydrant';
import { expect, test } from 'vitest';
import { factoryFailures } from '../testing/support/conformance.js';
import { Mailbox, mailboxes, type Account } from '../testing/support/factories.js';

type Connect = (url: string, options: { signal: AbortSignal }) => Promise<Mailbox & { stop(): Promise<void> }>;

/** The recipe as it stands in the manual. */
async function recipe(connect: Connect): Promise<InstanceFactory<Account & { url: string }, Mailbox>> {
  const page = readFileSync(new URL('../../examples/guides/api.md', import.meta.url), 'utf8');
  const source = /^const listening[^]*?^\};$/m.exec(page)?.[0] ?? '';
  const { code } = await transform(source, { loader: 'ts' });
  return new Function('connect', `${code}; return listening;`)(connect) as InstanceFactory<Account & { url: string }, Mailbox>;
}

test("the manual's recipe for a socket: one reset retires one instance, and does not end the process", async () => {
  const failed = await factoryFailures(async () => {
    const subject = await mailboxes();
    const url = JSON.stringify(subject.record);
    const factory = await recipe(async (text, { signal }) => {
      const account = JSON.parse(text) as Account;
      signal.throwIfAborted();
      const mailbox = new Mailbox(account);
      const fail = (): void => {};
      mailbox.on('error', fail);
      const abort = (): void => { mailbox.socket.destroy(); };
      signal.addEventListener('abort', abort, { once: true });
      await mailbox.login(account).catch(async (error: unknown) => { await mailbox.logout(); throw error; });
      signal.removeEventListener('abort', abort);
      mailbox.off('error', fail);
      return Object.assign(mailbox, { stop: () => mailbox.logout() });
    });
    return {
      ...subject,
      factory,
      record: { ...subject.record, url },
      failing: { ...subject.record, url: url.replace('right', 'wrong') },
    };
  }, { connected: true, lives: 20 });
  expect(failed).toEqual({});
}, 60_000);
