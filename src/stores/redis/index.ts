export { RedisClaims, type RedisClaimsOptions, type RedisCommandClient } from './claims.js';
export {};
