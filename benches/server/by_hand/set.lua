-- Writes a user, and moves what the indexes hold of the old one: KEYS[1] the user's key, ARGV[1] the text.
-- Only what differs is moved. The e-mail address is judged before anything is written.
local key, text = KEYS[1], ARGV[1]
local id = string.sub(key, 7)
local call = redis.call
local new = cjson.decode(text)
local before = call('GET', key)
local old = before and cjson.decode(before) or {tags = {}}

if new.email ~= old.email then
  if call('HSETNX', 'idx:users:email', new.email, id) == 0 then
    return redis.error_reply('UNIQUE the address is held by another user')
  end
  if old.email then call('HDEL', 'idx:users:email', old.email) end
end
call('SET', key, text)

if new.city ~= old.city then
  if old.city then call('SREM', 'idx:users:city:' .. old.city, id) end
  call('SADD', 'idx:users:city:' .. new.city, id)
end
local kept = {}
for _, tag in ipairs(old.tags) do kept[tag] = false end
for _, tag in ipairs(new.tags) do
  if kept[tag] == nil then call('SADD', 'idx:users:tag:' .. tag, id) end
  kept[tag] = true
end
for tag, is_kept in pairs(kept) do
  if not is_kept then call('SREM', 'idx:users:tag:' .. tag, id) end
end
if new.age ~= old.age then call('ZADD', 'idx:users:age', new.age, id) end
if new.score ~= old.score then call('ZADD', 'idx:users:score', new.score, id) end
if new.created_at ~= old.created_at then
  call('ZADD', 'idx:users:created_at', new.created_at, id)
end
return before and 0 or 1
