import { HINTING } from './listening.js';

/*
 * Every key is declared, and all of them carry one hash tag, so a cluster keeps them in one slot. Times are the
 * server's, in milliseconds; numbers travel as text.
 *
 *   KEYS[1]  epoch    the last token given
 *   KEYS[2]  members  sorted set: replica → when it ceases to be counted
 *   KEYS[3]  loads    hash: replica → load, and 'ttl ' .. replica → its TTL
 *   KEYS[4]  owned    hash: id → "token expiry" of what this replica owns
 *   KEYS[5]  seen     sorted set: id → when its row is to be looked at, to forget it
 *   KEYS[6]  scope    see `HintKeys`
 *   KEYS[7]  hints    counts hints
 *   KEYS[8…] a hash per connection: owner, token, expires, ttl, notes, to, notTo, offerUntil
 *
 * No key that matters has a time to live: Redis would evict those first (`volatile-*`).
 */

/** Rows begin behind so many keys. */
export const FIXED_KEYS = 7;

const COMMON = `${HINTING}
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(micros / 1000)
local replica, ttl = ARGV[1], tonumber(ARGV[2])
local base = #KEYS[1] - #'epoch' + #'claim:'
local function idOf(key) return string.sub(key, base + 1) end
-- Tokens are 64-bit numbers, which Lua cannot hold: they stay text.
local function isToken(token) return token and #token <= 19 and string.match(token, '^%d+$') end
local function above(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
`;

/**
 * ARGV: replica, ttl, how many were renewed by earlier calls or '' when more calls follow, member, load, for how long
 * to remember, a token per row, then the number of a row and its notes by turns.
 */
export const RENEW = `${COMMON}
local before, member, load, remember = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local lost, unknown, renewed = {}, {}, 0
local expires = number(now + ttl)
for i = ${FIXED_KEYS + 1}, #KEYS do
  local n = i - ${FIXED_KEYS}
  local id, token = idOf(KEYS[i]), ARGV[6 + n]
  local row = redis.pcall('HMGET', KEYS[i], 'owner', 'token', 'expires')
  if row.err then
    unknown[#unknown + 1] = n
  elseif row[1] == replica and row[2] == token and (tonumber(row[3]) or 0) > now then
    redis.call('HSET', KEYS[i], 'expires', expires, 'ttl', ARGV[2])
    redis.call('PERSIST', KEYS[i])
    redis.call('HSET', KEYS[4], id, token .. ' ' .. expires)
    renewed = renewed + 1
  else
    redis.call('HDEL', KEYS[4], id)
    lost[#lost + 1] = n
  end
end
for at = 7 + #KEYS - ${FIXED_KEYS}, #ARGV, 2 do
  local key = KEYS[${FIXED_KEYS} + tonumber(ARGV[at])]
  local row = redis.pcall('HMGET', key, 'owner', 'token', 'expires')
  if not row.err and row[1] == replica and row[2] == ARGV[6 + tonumber(ARGV[at])] and (tonumber(row[3]) or 0) > now then
    redis.call('HSET', key, 'notes', ARGV[at + 1])
  end
end
if before == '' then return { lost, unknown } end

if member == '1' then
  redis.call('ZADD', KEYS[2], expires, replica)
  redis.call('HSET', KEYS[3], replica, load, 'ttl ' .. replica, ARGV[2])
end
local members, owned = {}, {}
local counted = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #counted, 2 do
  local name, till = counted[i], tonumber(counted[i + 1])
  if till <= now then
    redis.call('ZREM', KEYS[2], name)
    redis.call('HDEL', KEYS[3], name, 'ttl ' .. name)
  else
    local of = redis.call('HMGET', KEYS[3], name, 'ttl ' .. name)
    -- The server's clock was set back: from now on it counts for one TTL more.
    local most = now + (tonumber(of[2]) or ttl)
    if till > most then redis.call('ZADD', KEYS[2], number(most), name) end
    members[#members + 1] = name
    members[#members + 1] = of[1] or '0'
  end
end
if redis.call('HLEN', KEYS[4]) ~= tonumber(before) + renewed then
  local all = redis.call('HGETALL', KEYS[4])
  for i = 1, #all, 2 do
    local token, till = string.match(all[i + 1], '^(%d+) (%d+)$')
    if tonumber(till) > now then
      owned[#owned + 1] = all[i]
      owned[#owned + 1] = token
    else
      redis.call('HDEL', KEYS[4], all[i])
    end
  end
end
-- Nobody else uses this key, so it may go by itself when the replica is gone.
redis.call('PEXPIRE', KEYS[4], math.max(ttl, 86400000))
return { lost, unknown, members, owned, redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', number(now - remember), 'LIMIT', 0, 100) }
`;

/**
 * ARGV: replica, ttl, limit, for how long free. A token is above the last one given, above the row's own, and not below
 * the time in microseconds: a failover that forgets the last writes repeats no token, unless the new server's clock is
 * behind.
 */
export const CLAIM = `${COMMON}
local HIGHEST = '9223372036854775807'
local limit, freeFor = tonumber(ARGV[3]), tonumber(ARGV[4])
local offered, free, rows = {}, {}, {}
-- When the row's claim expires. No claim is valid for longer than its TTL, and none was released in the future: such a
-- time was written before the server's clock was set back.
local function expiryOf(key, row)
  local expires = tonumber(row[1]) or 0
  local most = row[2] and now + (tonumber(row[3]) or ttl) or now
  if expires <= most then return expires end
  redis.call('HSET', key, 'expires', number(most))
  if not row[2] then
    redis.call('HDEL', key, 'to', 'notTo', 'offerUntil')
    row[6] = false
  end
  return most
end
for i = ${FIXED_KEYS + 1}, #KEYS do
  local row = redis.pcall('HMGET', KEYS[i], 'expires', 'owner', 'ttl', 'to', 'notTo', 'offerUntil', 'token', 'notes')
  rows[i] = row
  if not row.err and row[7] ~= HIGHEST then
    if not row[1] then
      free[#free + 1] = i
    else
      local expires = expiryOf(KEYS[i], row)
      local open = row[6] and tonumber(row[6]) > now
      if open and row[4] == replica then
        if expires <= now then offered[#offered + 1] = i end
      elseif expires <= now - freeFor and (not open or (not row[4] and row[5] ~= replica)) then
        free[#free + 1] = i
      end
    end
  end
end
for _, i in ipairs(free) do offered[#offered + 1] = i end
local taken = {}
for n = 1, math.min(limit, #offered) do
  local i = offered[n]
  local key, row, id = KEYS[i], rows[i], idOf(KEYS[i])
  redis.call('INCR', KEYS[1])
  local token = redis.call('GET', KEYS[1])
  if above(number(micros), token) then
    token = number(micros)
    redis.call('SET', KEYS[1], token)
  end
  if isToken(row[7]) and not above(token, row[7]) then
    redis.call('HINCRBY', key, 'token', 1)
    token = redis.call('HGET', key, 'token')
  end
  redis.call('HSET', key, 'owner', replica, 'token', token, 'expires', number(now + ttl), 'ttl', ARGV[2])
  redis.call('HDEL', key, 'to', 'notTo', 'offerUntil')
  redis.call('PERSIST', key)
  redis.call('HSET', KEYS[4], id, token .. ' ' .. number(now + ttl))
  redis.call('ZADD', KEYS[5], number(now), id)
  taken[#taken + 1] = { id, token, row[8] }
end
return taken
`;

/**
 * ARGV: replica, 0, whether it leaves, channel, a scope in case there is none, the entries of a hint, then per row its
 * token, whether there are notes, notes, to, notTo, for how long.
 */
export const RELEASE = `${COMMON}
local released = 0
for i = ${FIXED_KEYS + 1}, #KEYS do
  local at = 7 + (i - ${FIXED_KEYS + 1}) * 6
  local id, token = idOf(KEYS[i]), ARGV[at]
  local row = redis.pcall('HMGET', KEYS[i], 'owner', 'token', 'expires')
  if not row.err and row[1] == replica and row[2] == token then
    released = released + 1
    redis.call('HSET', KEYS[i], 'expires', number(math.min(tonumber(row[3]) or 0, now)))
    redis.call('HDEL', KEYS[i], 'owner', 'to', 'notTo', 'offerUntil')
    if ARGV[at + 1] == '1' then redis.call('HSET', KEYS[i], 'notes', ARGV[at + 2]) end
    if ARGV[at + 3] ~= '' then redis.call('HSET', KEYS[i], 'to', ARGV[at + 3]) end
    if ARGV[at + 4] ~= '' then redis.call('HSET', KEYS[i], 'notTo', ARGV[at + 4]) end
    if ARGV[at + 5] ~= '' then redis.call('HSET', KEYS[i], 'offerUntil', number(now + tonumber(ARGV[at + 5]))) end
  end
  local known = redis.call('HGET', KEYS[4], id)
  if known and string.match(known, '^%d+') == token then redis.call('HDEL', KEYS[4], id) end
end
if ARGV[3] == '1' then
  released = released + redis.call('ZREM', KEYS[2], replica)
  redis.call('HDEL', KEYS[3], replica, 'ttl ' .. replica)
end
if released > 0 then
  local hint = cjson.decode(ARGV[6])
  table.insert(hint, 1, number(redis.call('INCR', KEYS[7])))
  redis.call('PUBLISH', ARGV[4] .. ':' .. scopeOf(KEYS[6], ARGV[5]), cjson.encode(hint))
end
return released
`;

/**
 * Forgets rows whose claims expired long ago. ARGV: replica, ttl, for how long to remember. A row whose token is above
 * every token given so far stays, because the next one would not be above it.
 */
export const FORGET = `${COMMON}
local before = now - tonumber(ARGV[3])
local last = redis.call('GET', KEYS[1]) or '0'
local forgotten = 0
for i = ${FIXED_KEYS + 1}, #KEYS do
  local id = idOf(KEYS[i])
  local row = redis.pcall('HMGET', KEYS[i], 'expires', 'token')
  local expires = not row.err and tonumber(row[1])
  if expires and (expires > before or (isToken(row[2]) and above(row[2], last))) then
    redis.call('ZADD', KEYS[5], number(expires > before and math.min(expires, now) or now), id)
  else
    if expires then redis.call('DEL', KEYS[i]) end
    redis.call('ZREM', KEYS[5], id)
    forgotten = forgotten + 1
  end
end
return forgotten
`;

/** KEYS: any. The server's report on its memory. */
export const MEMORY = `return redis.call('INFO', 'memory')`;
