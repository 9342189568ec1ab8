-- The users of a city with the highest scores within some ages: ARGV[1] the city, ARGV[2] and ARGV[3] the ages, ARGV[4] how
-- many. The server orders the city by score, which is cheaper than to do it here; ages are asked from the top down, some
-- at a time, until there are enough. To ask the ages of the whole city first takes half as long again.
local call, at_once = redis.call, 100
local youngest, oldest, wanted = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local city = 'idx:users:city:' .. ARGV[1]
local ids = call('ZINTER', 2, city, 'idx:users:score', 'WEIGHTS', 0, 1)
local keys, to = {}, #ids
while #keys < wanted and to > 0 do
  local from = math.max(1, to - at_once + 1)
  local ages = call('ZMSCORE', 'idx:users:age', unpack(ids, from, to))
  for n = #ages, 1, -1 do
    local age = tonumber(ages[n])
    if #keys < wanted and age >= youngest and age <= oldest then
      keys[#keys + 1] = 'users:' .. ids[from + n - 1]
    end
  end
  to = from - 1
end
if #keys == 0 then return {} end
return call('MGET', unpack(keys))
