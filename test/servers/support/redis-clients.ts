import { randomBytes } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
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

export function viaIoredisCluster(url: string): TestClient {
  const client = new Cluster([url]);
  client.on('error', () => {});
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}

export async function viaNodeRedis(url: string, options: { RESP?: 2 | 3 } = {}): Promise<TestClient> {
  const client = createClient({ url, ...options });
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
