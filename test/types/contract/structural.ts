// The real frameworks and drivers have the shapes by which this package knows them.
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { PGlite } from '@electric-sql/pglite';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import { Cluster, Redis } from 'ioredis';
import pg from 'pg';
import { createClient, createClientPool, createCluster } from 'redis';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord, type ConnectionStore, type InstanceFactory } from 'hydrant';
import { ExclusiveRunner, MemoryClaims } from 'hydrant/exclusive';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { toNodeHandler } from 'hydrant/node';
import { PostgresClaims, PostgresStore } from 'hydrant/postgres';
import { RedisClaims, RedisStore } from 'hydrant/redis';
import { ManualClock } from 'hydrant/testing';

interface Bot { id: string; token: string }

const pool = new pg.Pool();
const store = new PostgresStore<Bot>({ client: pool, listenClient: () => new pg.Client() });
new PostgresStore<Bot>({ client: new PGlite() });
new PostgresStore<Bot>({ client: new pg.Client() });
new PostgresClaims({ client: pool, listenClient: () => new pg.Client() });
// @ts-expect-error a callback's result is no promise of rows
new PostgresStore<Bot>({ client: { query: (_text: string) => 5 } });

new RedisStore<Bot>({ client: new Redis() });
new RedisStore<Bot>({ client: new Cluster([]) });
new RedisStore<Bot>({ client: createClient() });
new RedisStore<Bot>({ client: createClientPool() });
new RedisStore<Bot>({ client: createCluster({ rootNodes: [] }) });
for (const client of [new Redis(), createClient()]) new RedisClaims({ client });
// @ts-expect-error a PostgreSQL pool is no Redis
new RedisStore<Bot>({ client: pool });

const registry = new ConnectionRegistry({
  store, clock: new ManualClock(),
  factory: { create: ({ token }) => ({ say: (text: string) => `${token} ${text}` }), authenticate: () => true, handleWebhook: (bot) => new Response(bot.say('x')) },
});
new ExclusiveRunner({ registry, claims: new MemoryClaims(), list: async () => ['a'], run: async (tenure) => { await tenure.use((bot) => bot.say('x')); tenure.token satisfies bigint; } });
// @ts-expect-error the column is not there
registry.use('a', (_bot, lease) => lease.record.secret);
new MemoryStore<Bot>([{ id: 'a', token: 't' }]);
// @ts-expect-error a factory with handleWebhook must say how a request is authenticated
new ConnectionRegistry({ store, factory: { create: () => 1, handleWebhook: () => new Response() } });
class Unauthenticated { create() { return 1; } handleWebhook() { return new Response(); } }
// @ts-expect-error a class, too
new ConnectionRegistry({ store, factory: new Unauthenticated() });
const annotated: InstanceFactory<Bot, number> = { create: () => 1, authenticate: 'in-handler', handleWebhook: (instance) => new Response(instance.toFixed()) };
new ConnectionRegistry({ store, factory: { ...annotated, dispose: () => {} } });
// @ts-expect-error without a schema, the store decides what a record is
new ConnectionRegistry<Bot & ConnectionRecord, number>({ store: {} as ConnectionStore, factory: annotated });

express().all('/webhooks/:connectionId', expressWebhook(registry));
fastify().register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
new Hono().all('/webhooks/:id', (c) => registry.handleWebhook(c.req.param('id'), c.req.raw));
const handler = toNodeHandler((request) => registry.handleWebhook('a', request));
createServer(handler);
createHttp2Server(handler);
