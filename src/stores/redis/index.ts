/**
 * Connections and claims in Redis, through ioredis or node-redis.
 *
 * @module hydrant/redis
 */

export type { Draft, Fields, StoredRecord } from '../drafts.js';
export type {
  IoredisClient, IoredisCommands, IoredisConnection, NodeRedisClient, NodeRedisCommands, NodeRedisConnection, RedisClient,
} from './client.js';
export type { RedisWatchOptions } from './listening.js';
export type { WatchTuning } from '../subscribing.js';
export { RedisStore, type RedisStoreOptions } from './store.js';
export { RedisClaims, type RedisClaimsOptions } from './claims.js';
