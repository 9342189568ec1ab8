-- Makes a user older, and moves the index of ages: KEYS[1] the user's key, ARGV[1] by how much.
local key = KEYS[1]
local user = cjson.decode(redis.call('GET', key))
user.age = user.age + ARGV[1]
redis.call('SET', key, cjson.encode(user))
redis.call('ZADD', 'idx:users:age', user.age, string.sub(key, 7))
return user.age
