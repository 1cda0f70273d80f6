import { HINTING } from './listening.js';

/*
 * Two hashes, one field per connection: `records` holds 'version json', `versions` the version alone, so that asking
 * for versions moves little. A counter numbers the changes. Its number begins a version and goes with every hint, so
 * a listener knows whether it missed one. Scripts run whole or not at all, so the keys always agree.
 */

/** KEYS: records, versions, counter, scope. ARGV: id, channel, random text for a version or a scope, and json. */
const CHANGE = `${HINTING}
local function change(id, json)
  local count = number(redis.call('INCR', KEYS[3]))
  if json then
    local version = count .. '-' .. ARGV[3]
    redis.call('HSET', KEYS[1], id, version .. ' ' .. json)
    redis.call('HSET', KEYS[2], id, version)
  end
  redis.call('PUBLISH', ARGV[2] .. ':' .. scopeOf(KEYS[4], ARGV[3]), cjson.encode({ count, id }))
end
local function json(row)
  return string.sub(row, (string.find(row, ' ', 1, true) or 0) + 1)
end
`;

/** The row as it then is; an identical one keeps its version. */
export const PUT = `${CHANGE}
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row or json(row) ~= ARGV[4] then change(ARGV[1], ARGV[4]) end
return redis.call('HGET', KEYS[1], ARGV[1])`;

/** 1 if there was such a row. */
export const TOUCH = `${CHANGE}
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row then return 0 end
change(ARGV[1], json(row))
return 1`;

/** 1 if there was such a row. */
export const DELETE = `${CHANGE}
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
change(ARGV[1], nil)
return 1`;

/** KEYS: records. ARGV: cursor. */
export const SCAN = `return redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 500)`;
