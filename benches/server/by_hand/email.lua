-- The user of an e-mail address: ARGV[1].
local id = redis.call('HGET', 'idx:users:email', ARGV[1])
return id and redis.call('GET', 'users:' .. id)
