-- Any users of a city: ARGV[1] the city, ARGV[2] how many. A page of a scan may have fewer than it is asked for, and pages may
-- have some members twice.
local call, wanted = redis.call, tonumber(ARGV[2])
local city = 'idx:users:city:' .. ARGV[1]
local keys, seen, cursor = {}, {}, '0'
repeat
  local page = call('SSCAN', city, cursor, 'COUNT', wanted)
  cursor = page[1]
  for _, id in ipairs(page[2]) do
    if #keys < wanted and not seen[id] then
      seen[id] = true
      keys[#keys + 1] = 'users:' .. id
    end
  end
until cursor == '0' or #keys == wanted
if #keys == 0 then return {} end
return call('MGET', unpack(keys))
