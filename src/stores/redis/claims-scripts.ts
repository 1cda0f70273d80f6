/*
 * Each call is one script, so it is atomic. Every key is declared, and all of them carry one hash tag, so a cluster
 * keeps them in one slot. Times are the server's, in milliseconds; numbers travel as text.
 *
 *   KEYS[1]  epoch    the last token given
 *   KEYS[2]  members  sorted set: replica → when it ceases to be counted
 *   KEYS[3]  loads    hash: replica → load
 *   KEYS[4]  owned    hash: id → "token expiry" of what this replica owns
 *   KEYS[5…] a hash per connection: owner, token, expires, notes, to, notTo, offerUntil
 */

const COMMON = `
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(micros / 1000)
local replica = ARGV[1]
local KEEP = 30 * 24 * 3600 * 1000
`;

/** ARGV: replica, ttl, member, load, then id, token, whether there are notes, notes per claim. */
export const RENEW = `${COMMON}
local ttl = tonumber(ARGV[2])
if ARGV[3] == '1' then
  redis.call('ZADD', KEYS[2], text(now + ttl), replica)
  redis.call('HSET', KEYS[3], replica, ARGV[4])
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now))) do
  redis.call('ZREM', KEYS[2], name)
  redis.call('HDEL', KEYS[3], name)
end
local renewed, lost, strays, members, held = {}, {}, {}, {}, {}
for i = 5, #KEYS do
  local at = 5 + (i - 5) * 4
  local id, token = ARGV[at], ARGV[at + 1]
  held[id] = true
  local row = redis.call('HMGET', KEYS[i], 'owner', 'token', 'expires')
  if row[1] == replica and row[2] == token and tonumber(row[3]) > now then
    redis.call('HSET', KEYS[i], 'expires', text(now + ttl))
    if ARGV[at + 2] == '1' then redis.call('HSET', KEYS[i], 'notes', ARGV[at + 3]) end
    redis.call('PEXPIRE', KEYS[i], KEEP)
    redis.call('HSET', KEYS[4], id, token .. ' ' .. text(now + ttl))
    renewed[#renewed + 1] = id
  else
    redis.call('HDEL', KEYS[4], id)
    lost[#lost + 1] = id
  end
end
local owned = redis.call('HGETALL', KEYS[4])
for i = 1, #owned, 2 do
  if not held[owned[i]] then
    local token, expires = string.match(owned[i + 1], '^(%d+) (%d+)$')
    if tonumber(expires) > now then
      strays[#strays + 1] = owned[i]
      strays[#strays + 1] = token
    else
      redis.call('HDEL', KEYS[4], owned[i])
    end
  end
end
redis.call('PEXPIRE', KEYS[4], KEEP)
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  members[#members + 1] = name
  members[#members + 1] = redis.call('HGET', KEYS[3], name) or '0'
end
return { renewed, lost, strays, members }
`;

/**
 * ARGV: replica, ttl, limit, for how long free, then the ids. A token is above the last one given, above the row's own
 * and not below the time in microseconds: a failover that forgets the last writes does not give tokens again, unless
 * the new server's clock is behind.
 */
export const CLAIM = `${COMMON}
local ttl, limit, freeFor = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local offered, free, rows = {}, {}, {}
for i = 5, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 'expires', 'to', 'notTo', 'offerUntil', 'token', 'notes')
  rows[i] = row
  if not row[1] then
    free[#free + 1] = i
  elseif tonumber(row[1]) <= now - freeFor then
    local open = row[4] and tonumber(row[4]) > now
    if open and row[2] == replica then
      offered[#offered + 1] = i
    elseif not open or (not row[2] and row[3] ~= replica) then
      free[#free + 1] = i
    end
  end
end
for _, i in ipairs(free) do offered[#offered + 1] = i end
local taken = {}
for n = 1, math.min(limit, #offered) do
  local i = offered[n]
  local row, id = rows[i], ARGV[i]
  local token = math.max(redis.call('INCR', KEYS[1]), micros, (tonumber(row[5] or '0') or 0) + 1)
  redis.call('SET', KEYS[1], text(token))
  redis.call('HSET', KEYS[i], 'owner', replica, 'token', text(token), 'expires', text(now + ttl))
  redis.call('HDEL', KEYS[i], 'to', 'notTo', 'offerUntil')
  redis.call('PEXPIRE', KEYS[i], KEEP)
  redis.call('HSET', KEYS[4], id, text(token) .. ' ' .. text(now + ttl))
  taken[#taken + 1] = { id, text(token), row[6] }
end
if #taken > 0 then redis.call('PEXPIRE', KEYS[4], KEEP) end
return taken
`;

/** ARGV: replica, whether it leaves, channel, hint, then id, token, whether there are notes, notes, to, notTo, for how long per claim. */
export const RELEASE = `${COMMON}
local released = 0
for i = 5, #KEYS do
  local at = 5 + (i - 5) * 7
  local id, token = ARGV[at], ARGV[at + 1]
  local row = redis.call('HMGET', KEYS[i], 'owner', 'token', 'expires')
  if row[1] == replica and row[2] == token then
    released = released + 1
    redis.call('HSET', KEYS[i], 'expires', text(math.min(tonumber(row[3]), now)))
    redis.call('HDEL', KEYS[i], 'owner', 'to', 'notTo', 'offerUntil')
    if ARGV[at + 2] == '1' then redis.call('HSET', KEYS[i], 'notes', ARGV[at + 3]) end
    if ARGV[at + 4] ~= '' then redis.call('HSET', KEYS[i], 'to', ARGV[at + 4]) end
    if ARGV[at + 5] ~= '' then redis.call('HSET', KEYS[i], 'notTo', ARGV[at + 5]) end
    if ARGV[at + 6] ~= '' then redis.call('HSET', KEYS[i], 'offerUntil', text(now + tonumber(ARGV[at + 6]))) end
    redis.call('PEXPIRE', KEYS[i], KEEP)
  end
  local known = redis.call('HGET', KEYS[4], id)
  if known and string.match(known, '^%d+') == token then redis.call('HDEL', KEYS[4], id) end
end
if ARGV[2] == '1' then
  released = released + redis.call('ZREM', KEYS[2], replica)
  redis.call('HDEL', KEYS[3], replica)
end
if released > 0 then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return released
`;
