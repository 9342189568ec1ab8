-- Writes a user's biography, of which there is no index: KEYS[1] the user's key, ARGV[1] the biography.
local user = cjson.decode(redis.call('GET', KEYS[1]))
user.bio = ARGV[1]
redis.call('SET', KEYS[1], cjson.encode(user))
return redis.status_reply('OK')
