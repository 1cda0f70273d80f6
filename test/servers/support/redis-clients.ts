import { randomBytes } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis6 } from 'ioredis6';
import { createClient, createCluster } from 'redis';
import { createClient as createClient5 } from 'redis5';
import type { RedisClient } from 'hydrant/redis';

/** A client of some kind, connected, that does not mind when its server is gone. */
export interface TestClient extends AsyncDisposable {
  readonly client: RedisClient;
}

/** A prefix that no other test file has: they share a server. */
export const testPrefix = (): string => `{test-${randomBytes(6).toString('hex')}}:`;

export function viaIoredis(url: string, options: { keyPrefix?: string } = {}): TestClient {
  const client = new Redis(url, { maxRetriesPerRequest: null, ...options });
  client.on('error', () => {});
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}

export function viaIoredis6(url: string): TestClient {
  const client = new Redis6(url);
  client.on('error', () => {});
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}

export function viaIoredisCluster(url: string): TestClient {
  const client = new Cluster([url]);
  client.on('error', () => {});
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}

export async function viaNodeRedis(url: string, options: { RESP?: 2 | 3; keyPrefix?: string } = {}): Promise<TestClient> {
  const client = createClient({ url, ...options });
  client.on('error', () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: async () => client.destroy() };
}

export async function viaNodeRedis5(url: string): Promise<TestClient> {
  const client = createClient5({ url });
  client.on('error', () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: async () => client.destroy() };
}

export async function viaNodeRedisCluster(url: string): Promise<TestClient> {
  const client = createCluster({ rootNodes: [{ url }] });
  client.on('error', () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: async () => client.destroy() };
}

/** Every client of one server that is supported, with the options that README shows. */
export const CLIENTS: Readonly<Record<string, (url: string) => TestClient | Promise<TestClient>>> = {
  'ioredis 5': (url) => viaIoredis(url),
  'ioredis 6': (url) => viaIoredis6(url),
  'node-redis 5': (url) => viaNodeRedis5(url),
  'node-redis 6': (url) => viaNodeRedis(url),
};
