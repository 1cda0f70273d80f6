import { EventEmitter } from 'node:events';
import type { InstanceFactory } from 'hydrant';
import { factoryConformance } from 'hydrant/testing';
import { describe, test } from 'vitest';
import { Mailbox, mailboxes, type Account } from './support/factories.js';
import { guideFactory } from './support/guide.js';

/** A client of the kind that the guide wraps: it connects when it is told to, and emits `error` and `close`. */
class MailClient extends EventEmitter {
  readonly #account: Account;
  mailbox: Mailbox | undefined;

  constructor(account: Account) {
    super();
    this.#account = account;
  }

  async connect({ signal }: { signal: AbortSignal }): Promise<void> {
    const mailbox = new Mailbox(this.#account);
    this.mailbox = mailbox;
    mailbox.on('error', (error) => this.emit('error', error)).on('close', () => this.emit('close'));
    signal.addEventListener('abort', () => mailbox.socket.destroy());
    await mailbox.login(this.#account);
  }

  async logout(): Promise<void> {
    await this.mailbox?.logout();
  }
}

describe("the guide's factory of a mailbox", () => {
  factoryConformance({ describe, it: test }, async () => {
    const subject = await mailboxes();
    const createMailClient = (account: Account): MailClient => new MailClient(account);
    const factory = await guideFactory<InstanceFactory<Account, MailClient>>('mailbox', { createMailClient });
    return { ...subject, factory, use: ({ mailbox }: MailClient) => subject.use(mailbox as Mailbox) };
  }, { connected: true, lives: 30 });
});
