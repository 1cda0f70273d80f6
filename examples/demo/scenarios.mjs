import { setTimeout as delay } from 'node:timers/promises';
import { bot } from './world.mjs';

/**
 * The scenarios, and the outcome of each that the demo expects. Bots that are in the table when the replicas start are named
 * `boot-…`. The others are installed later, by an admin call that reaches one replica, as an OAuth callback does.
 *
 * @typedef {import('./world.mjs').World} World
 * @typedef {import('./world.mjs').Delivery} Delivery
 * @typedef {import('./outcome.mjs').Outcome} Outcome
 * @typedef {(outcome: Outcome) => Record<string, boolean>} Expectations what must be true of the outcome, in words
 *
 * @typedef {object} Scenario
 * @property {string} title
 * @property {(world: World) => Promise<unknown>} [prepare] what comes before, and is not counted
 * @property {(world: World) => Promise<{ deliveries: Delivery[], facts?: Record<string, number> }>} play
 * @property {string} [greeting] how the bot's answers must begin, where that is not `hello`
 * @property {Expectations} naive of the Map, and it shows the defect
 * @property {Expectations} hydrant
 */

/** In the table before the first replica starts. */
export const BOOT_BOTS = Array.from({ length: 50 }, (_, index) => bot(`boot-${index}`));

/** Steady traffic goes to these: half of them known since the start, half installed through one replica. */
const [BOOTED, INSTALLED] = ['boot', 'late'].map((kind) => Array.from({ length: 5 }, (_, index) => `${kind}-${index}`));

/** @type {Scenario[]} */
export const SCENARIOS = [
  {
    title: 'three replicas start, 50 bots in the table',
    async play(world) {
      await world.startReplicas();
      return { deliveries: [] };
    },
    naive: ({ creates }) => ({ 'every replica starts every bot': creates === 150 }),
    hydrant: ({ creates, rowReads, vendorCalls }) => ({ 'a start costs nothing': creates + rowReads + vendorCalls === 0 }),
  },
  {
    title: 'one slash command, on a replica that is cold',
    async prepare(world) {
      // Warms the processes up, so that only the bots are cold and not V8's code.
      await world.settle(await world.sendAtOnce(45, 'boot-49'));
      await world.replica('express').call('put', bot('oneshot'));
    },
    async play(world) {
      world.proxy.turnTo('fastify');
      return { deliveries: await world.sendAtOnce(1, 'oneshot') };
    },
    naive: ({ statuses }) => ({ 'the command is lost': statuses[404] === 1 }),
    hydrant: ({ statuses, answered, creates, rowReads }) => ({
      'the command is answered': statuses[200] === 1 && answered === 1,
      'one create, one row read': creates === 1 && rowReads === 1,
    }),
  },
  {
    title: '200 slash commands at once, one bot, all replicas cold',
    prepare: (world) => world.replica('express').call('put', bot('burst')),
    async play(world) {
      return { deliveries: await world.sendAtOnce(200, 'burst') };
    },
    naive: ({ statuses }) => ({ 'two of three are lost': (statuses[404] ?? 0) > 120 }),
    hydrant: ({ statuses, answered, creates, rowReads, versionReads }) => ({
      'every command is answered': statuses[200] === 200 && answered === 200,
      'one create per replica': creates === 3,
      'at most one read per command, and one per create': rowReads + versionReads <= 200 + creates,
    }),
  },
  {
    title: '30 forged requests, all replicas cold',
    prepare: (world) => world.replica('express').call('put', bot('forged')),
    async play(world) {
      return { deliveries: await world.sendAtOnce(30, 'forged', { forged: true }) };
    },
    naive: ({ answered }) => ({ 'none is answered': answered === 0 }),
    hydrant: ({ statuses, creates, vendorCalls }) => ({
      'each is refused': statuses[401] === 30,
      'no create, no call to Slack': creates === 0 && vendorCalls === 0,
    }),
  },
  {
    title: '60 requests for an id that does not exist',
    async play(world) {
      const first = await world.sendAtOnce(30, 'nobody');
      return { deliveries: [...first, ...await world.sendAtOnce(30, 'nobody')] };
    },
    naive: ({ statuses }) => ({ 'each is a 404': statuses[404] === 60 }),
    hydrant: ({ statuses, creates, rowReads }) => ({
      'each is a 404': statuses[404] === 60,
      'no create, and few of them reach the table': creates === 0 && rowReads <= 30,
    }),
  },
  {
    title: 'a bot stopped through one replica, then 9 commands',
    async prepare(world) {
      await world.settle(await world.sendAtOnce(9, 'boot-40'));
      await world.replica('express').call('put', bot('boot-40', { status: 'stopped' }));
    },
    async play(world) {
      const deliveries = await world.sendAtOnce(9, 'boot-40');
      return { deliveries, facts: { live: await world.liveOn('boot-40') } };
    },
    naive: ({ statuses, facts }) => ({ 'the other two replicas go on serving it': statuses[200] === 6 && facts.live === 2 }),
    hydrant: ({ statuses, creates, facts }) => ({
      'each is a 404': statuses[404] === 9,
      'it is not revived, and live nowhere': creates === 0 && facts.live === 0,
    }),
  },
  {
    title: 'a bot edited through one replica, then 9 commands',
    greeting: 'welcome',
    async prepare(world) {
      await world.settle(await world.sendAtOnce(9, 'boot-41'));
      await world.replica('express').call('put', bot('boot-41', { greeting: 'welcome' }));
    },
    async play(world) {
      return { deliveries: await world.sendAtOnce(9, 'boot-41') };
    },
    naive: ({ outdated }) => ({ 'the other two replicas answer with the old text': outdated === 6 }),
    hydrant: ({ statuses, answered, outdated, creates }) => ({
      'each is answered with the new text': statuses[200] === 9 && answered === 9 && outdated === 0,
      'one create per replica': creates === 3,
    }),
  },
  {
    title: 'kill -9 of a replica under 60 commands a second',
    async prepare(world) {
      for (const id of INSTALLED ?? []) await world.replica('express').call('put', bot(id));
    },
    async play(world) {
      const traffic = world.sendSteadily({ ids: [...BOOTED ?? [], ...INSTALLED ?? []], forMs: 1_500, perSecond: 60 });
      await delay(600);
      await world.replica('express').kill();
      const goneAt = performance.now();
      const deliveries = await traffic;
      return {
        deliveries,
        facts: { failedLater: deliveries.filter(({ status, sentAt }) => status !== 200 && sentAt > goneAt).length },
      };
    },
    naive: ({ statuses }) => ({ 'what was installed through it is nowhere': (statuses[404] ?? 0) > 20 }),
    hydrant: ({ statuses, unanswered, facts }) => ({
      'nothing fails but what was under way there': Object.keys(statuses).every((status) => status === '200' || status === '502'),
      'nothing fails after it is gone': facts.failedLater === 0,
      'no other replica loses a command': unanswered.every(({ servedBy }) => servedBy === 'express'),
    }),
  },
  {
    title: 'SIGTERM of a replica under 60 commands a second',
    async play(world) {
      const traffic = world.sendSteadily({ ids: BOOTED ?? [], forMs: 1_500, perSecond: 60, command: '/ask' });
      await delay(600);
      const ended = world.replica('fastify').terminate(() => world.proxy.remove('fastify'));
      const deliveries = await traffic;
      await ended;
      return { deliveries };
    },
    naive: ({ unanswered }) => ({ 'acknowledged commands are never answered': unanswered.length > 0 }),
    hydrant: ({ statuses, answered }) => ({ 'no command is lost': statuses[200] === 90 && answered === 90 }),
  },
];
