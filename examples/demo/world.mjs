import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { slashCommand } from '../support/slack-sender.mjs';
import { Replica } from './replicas.mjs';

/** @typedef {import('./gateway/slack-bot.mjs').Bot} Bot */

/** The frameworks of the three replicas, in the balancer's order. */
export const FRAMEWORKS = /** @type {const} */ (['express', 'fastify', 'hono']);

/**
 * A slash command that was sent.
 *
 * @typedef {object} Delivery
 * @property {string} word what the user typed: unique, so that the bot's message can be told
 * @property {number} status 0 when the connection broke
 * @property {number} sentAt by `performance.now()`
 * @property {number} ms until the answer was there
 * @property {string | undefined} servedBy the replica
 */

/**
 * A bot of its own, as the installation of a Slack app yields it.
 * @param {string} id
 * @param {Partial<Bot>} [changes]
 * @returns {Bot}
 */
export function bot(id, changes = {}) {
  return { id, status: 'active', signingSecret: `secret of ${id}`, botToken: `xoxb-${id}`, greeting: 'hello', ...changes };
}

/** Three replicas behind a balancer, a database, Slack, and the senders: everything a scenario acts on. */
export class World {
  /** @type {Replica[]} */
  replicas = [];
  /** The status of each command sent since the last reset, by its word. @type {Map<string, number | undefined>} */
  statuses = new Map();
  #words = 0;

  /**
   * @param {object} parts
   * @param {string} parts.way
   * @param {string} parts.databaseUrl
   * @param {import('../support/fake-slack-api.mjs').FakeSlackApi} parts.slack
   * @param {import('./proxy.mjs').Proxy} parts.proxy
   * @param {string} parts.origin the proxy's
   */
  constructor({ way, databaseUrl, slack, proxy, origin }) {
    this.way = way;
    this.slack = slack;
    this.proxy = proxy;
    this.origin = origin;
    this.environment = { DATABASE_URL: databaseUrl, SLACK_API_URL: slack.url };
  }

  async startReplicas() {
    this.replicas = FRAMEWORKS.map((name) => new Replica(name, this.way, this.environment));
    await Promise.all(this.replicas.map((replica) => replica.ready()));
    this.proxy.setTargets(this.replicas);
  }

  /** @param {typeof FRAMEWORKS[number]} name */
  replica(name) {
    const replica = this.replicas.find((one) => one.name === name);
    if (replica === undefined) throw new Error(`the replica ${name} was not started`);
    return replica;
  }

  get #running() {
    return this.replicas.filter((replica) => replica.isRunning);
  }

  /** How many replicas hold a live instance of this bot. @param {string} id */
  async liveOn(id) {
    const answers = await Promise.all(this.#running.map((replica) => replica.call('isLive', id)));
    return answers.filter(Boolean).length;
  }

  /**
   * Sends one slash command through the balancer, signed as Slack signs it, or by somebody who does not know the
   * secret.
   *
   * @param {string} id the bot it is for
   * @param {{ command?: string, forged?: boolean }} [options]
   * @returns {Promise<Delivery>}
   */
  async send(id, { command = '/ping', forged = false } = {}) {
    const word = `n${++this.#words}`;
    const signingSecret = forged ? 'a guess' : bot(id).signingSecret;
    this.statuses.set(word, undefined);
    const sentAt = performance.now();
    const { status, servedBy } = await post(
      `${this.origin}/webhooks/${id}`,
      slashCommand({ signingSecret, command, text: word }),
    );
    this.statuses.set(word, status);
    return { word, status, sentAt, ms: performance.now() - sentAt, servedBy };
  }

  /**
   * @param {number} count
   * @param {string} id
   * @param {{ command?: string, forged?: boolean }} [options]
   */
  sendAtOnce(count, id, options) {
    return Promise.all(Array.from({ length: count }, () => this.send(id, options)));
  }

  /**
   * Sends `perSecond` commands a second to these bots in turn, without waiting for the earlier ones.
   *
   * @param {{ ids: readonly string[], forMs: number, perSecond: number, command?: string }} traffic
   */
  async sendSteadily({ ids, forMs, perSecond, command }) {
    const count = Math.round(forMs / 1000 * perSecond);
    const start = performance.now();
    const sent = [];
    for (let index = 0; index < count; index++) {
      await delay(Math.max(0, start + index * 1000 / perSecond - performance.now()));
      sent.push(this.send(ids[index % ids.length] ?? '', command === undefined ? {} : { command }));
    }
    return Promise.all(sent);
  }

  /**
   * Waits until every acknowledged command has been answered in its channel, or no bot has said anything for a second.
   * @param {readonly Delivery[]} deliveries
   */
  async settle(deliveries) {
    const awaited = deliveries.filter(({ status }) => status === 200);
    for (let count = 0, quiet = 0; quiet < 1000 && !awaited.every(({ word }) => this.answerTo(word)); quiet += 20) {
      await delay(20);
      if (this.slack.messages.length !== count) quiet = 0;
      count = this.slack.messages.length;
    }
    await Promise.all(this.#running.map((replica) => replica.call('flush')));
  }

  /** The message that answers a command. @param {string} word */
  answerTo(word) {
    return this.slack.messages.find(({ text }) => text.endsWith(` ${word}`))?.text;
  }

  /** The counts of the replicas since the last reset. */
  get counts() {
    /** @param {'create' | 'row' | 'version'} event */
    const sum = (event) => this.replicas.reduce((total, replica) => total + replica.counts[event], 0);
    return { creates: sum('create'), rowReads: sum('row'), versionReads: sum('version') };
  }

  async resetCounts() {
    await Promise.all(this.#running.map((replica) => replica.call('flush')));
    for (const replica of this.replicas) replica.counts = { create: 0, row: 0, version: 0 };
    this.slack.reset();
    this.statuses.clear();
  }

  /** Leaves no process behind. */
  async close() {
    await Promise.all(this.#running.map((replica) => replica.kill()));
  }
}

const agent = new Agent({ keepAlive: true });

/**
 * Not `fetch`: the sender shares two cores with everything it measures, and this is a third of the work.
 *
 * @param {string} url
 * @param {ReturnType<typeof slashCommand>} message
 * @returns {Promise<{ status: number, servedBy: string | undefined }>}
 */
function post(url, { method, headers, body }) {
  return new Promise((resolve) => {
    const broken = () => resolve({ status: 0, servedBy: undefined });
    const sending = request(url, { agent, method, headers }, (response) => {
      const servedBy = response.headers['x-served-by'];
      response.once('error', broken).resume();
      response.once('end', () => resolve({ status: response.statusCode ?? 0, servedBy: String(servedBy) }));
    });
    sending.once('error', broken);
    sending.end(body);
  });
}
