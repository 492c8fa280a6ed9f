"""Scripts of the Redis store. The rule: proof of the lease and every write are one step.

A cursor is `generation:slot:fires`; a failure count `failures:last`; a run `since:seen:started`; an
open fire `state:enq:generation:slot:epoch:claimed:n:` and then the schedule (n bytes) and the
record. Times are milliseconds of the server, which every script reads itself.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Script(NamedTuple):
    """A script and the name Redis keeps it under."""

    text: str
    sha: str


def _script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function whole(n) return string.format('%.0f', n) end
"""

_FENCE = (
    _NOW
    + """
local held = redis.call('HMGET', KEYS[1], 'owner', 'exp', 'epoch')
if held[1] ~= ARGV[1] or held[3] ~= ARGV[2] or tonumber(held[2]) <= now then return {-1} end
"""
)

ACQUIRE = _script(
    _NOW
    + """
local l = redis.call('HMGET', KEYS[1], 'owner', 'exp', 'epoch', 'fp')
local exp, epoch = tonumber(l[2] or 0), tonumber(l[3] or 0)
local rev = redis.call('HGET', KEYS[2], 'rev') or ''
if l[4] and l[4] ~= '' and l[4] ~= ARGV[3] then return {-2, exp, now, rev} end
if rev > ARGV[4] then return {-3, exp, now, rev} end
if exp > now and l[1] ~= ARGV[1] then return {-1, exp, now, rev} end
if exp <= now or l[1] ~= ARGV[1] then epoch = math.max(epoch + 1, now) end
exp = now + ARGV[2]
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('HSET', KEYS[1], 'exp', whole(exp))
redis.call('HSET', KEYS[1], 'epoch', whole(epoch))
redis.call('HSET', KEYS[1], 'fp', ARGV[3])
return {epoch, exp, now, rev}
"""
)
"""KEYS lease snap. ARGV owner ttl_ms fp rev."""

RENEW = _script(
    _FENCE
    + """
redis.call('HSET', KEYS[1], 'exp', whole(now + ARGV[3]))
return {1, now, redis.call('HGET', KEYS[2], 'rev') or ''}
"""
)
"""KEYS lease snap. ARGV owner epoch ttl_ms."""

RELEASE = _script(
    _FENCE
    + """
redis.call('HSET', KEYS[1], 'exp', '0')
redis.call('HSET', KEYS[1], 'owner', '')
redis.call('PUBLISH', ARGV[3], 'released')
return {1}
"""
)
"""KEYS lease. ARGV owner epoch channel."""

CLAIM = _script(
    _FENCE
    + """
local out = {}
for i = 3, #ARGV, 6 do
  local name, gen, slot, fire = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local was = redis.call('HGET', KEYS[2], name)
  local cg, cs, fires = -1, 0, 0
  if was then
    cg, cs, fires = was:match('^(%d+):(%-?%d+):(%d+)$')
    cg, cs, fires = tonumber(cg), tonumber(cs), tonumber(fires)
  end
  local g, s, max = tonumber(gen), tonumber(slot), tonumber(ARGV[i + 5])
  local answer = 1
  if cg > g then
    answer = -2
  elseif cg >= 0 and cs >= s then
    answer = 0
    local open = redis.call('HGET', KEYS[3], fire)
    if open then
      local state, epoch = open:match('^(%a+):%d+:%d+:%-?%d+:(%d+):')
      if state == 'claimed' and epoch == ARGV[2] then answer = 1 end
    end
  else
    if cg < g then fires = 0 end
    if max >= 0 and fires >= max then
      answer = -3
    else
      redis.call('HSET', KEYS[2], name, gen .. ':' .. slot .. ':' .. whole(fires + 1))
      redis.call('HSET', KEYS[3], fire, 'claimed:1:' .. gen .. ':' .. slot .. ':' .. ARGV[2]
        .. ':' .. whole(now) .. ':' .. #name .. ':' .. name .. ARGV[i + 4])
    end
  end
  out[#out + 1] = answer
end
return {1, out}
"""
)
"""KEYS lease cur open. ARGV owner epoch, then per fire schedule generation slot fire record max."""

SETTLE = _script(
    _FENCE
    + """
for i = 3, #ARGV, 3 do
  if ARGV[i + 1] ~= 'buffered' then
    redis.call('HDEL', KEYS[2], ARGV[i])
  else
    local open = redis.call('HGET', KEYS[2], ARGV[i])
    if open then
      local rest = open:match('^%a+:%d+:(.*)$')
      redis.call('HSET', KEYS[2], ARGV[i], 'buffered:' .. ARGV[i + 2] .. ':' .. rest)
    end
  end
end
return {1}
"""
)
"""KEYS lease open. ARGV owner epoch, then per mark fire state enq."""

_RUNS = (
    _NOW
    + """
local function forget(key, unseen)
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local seen = all[i + 1]:match('^%d+:(%d+):')
    if now - tonumber(seen) >= tonumber(unseen) then redis.call('HDEL', key, all[i]) end
  end
end
"""
)

RUN_STARTED = _script(
    _RUNS
    + """
if redis.call('EXISTS', KEYS[2]) == 1 then return {0} end
local run = redis.call('HGET', KEYS[1], ARGV[1])
local since, started = whole(now), ARGV[2]
if run then
  local was, _, begun = run:match('^(%d+):(%d+):(%d)$')
  since = was
  if begun == '1' then started = '1' end
else
  forget(KEYS[1], ARGV[3])
end
redis.call('HSET', KEYS[1], ARGV[1], since .. ':' .. whole(now) .. ':' .. started)
return {1}
"""
)
"""KEYS run ended. ARGV fire started unseen_ms."""

RUN_ENDED = _script(
    """
local was = redis.call('HGET', KEYS[3], ARGV[2])
local failures = was and tonumber(was:match('^%d+')) or 0
redis.call('HDEL', KEYS[1], ARGV[1])
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[4]) then return failures end
local last = 'success'
if ARGV[3] == '1' then failures, last = failures + 1, 'failed' else failures = 0 end
redis.call('HSET', KEYS[3], ARGV[2], failures .. ':' .. last)
return failures
"""
)
"""KEYS run ended cnt. ARGV fire schedule failed kept_s."""

RUNNING = _script(_RUNS + "forget(KEYS[1], ARGV[1]) return redis.call('HGETALL', KEYS[1])")
"""KEYS run. ARGV unseen_ms."""

RESET = _script(
    """
local was = redis.call('HGET', KEYS[1], ARGV[1])
if was then redis.call('HSET', KEYS[1], ARGV[1], '0:' .. was:match('^%d+:(.*)$')) end
return 1
"""
)
"""KEYS cnt. ARGV schedule."""

PUT = _script(
    """
local was = redis.call('HGET', KEYS[1], 'rev')
if was and was >= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'rev', ARGV[1])
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PUBLISH', ARGV[2], 'snapshot')
return 1
"""
)
"""KEYS snap. ARGV rev channel, then field and value in turn."""
