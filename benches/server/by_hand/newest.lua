-- The newest users after a time, the newest first: ARGV[1] the time, ARGV[2] how many.
local ids = redis.call('ZRANGE', 'idx:users:created_at', '+inf', '(' .. ARGV[1], 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2])
if #ids == 0 then return {} end
for n, id in ipairs(ids) do ids[n] = 'users:' .. id end
return redis.call('MGET', unpack(ids))
