-- Any users who have two tags: ARGV[1] and ARGV[2], ARGV[3] how many. SINTER knows no limit and would find them all, so one
-- set is read some at a time, and the other asked, until there are enough. A scan may give a member twice.
local call, at_once, wanted = redis.call, 100, tonumber(ARGV[3])
local one, other = 'idx:users:tag:' .. ARGV[1], 'idx:users:tag:' .. ARGV[2]
local keys, seen, cursor = {}, {}, '0'
repeat
  local page = call('SSCAN', one, cursor, 'COUNT', at_once)
  local ids = page[2]
  cursor = page[1]
  if #ids > 0 then
    local has = call('SMISMEMBER', other, unpack(ids))
    for n, id in ipairs(ids) do
      if has[n] == 1 and #keys < wanted and not seen[id] then
        seen[id] = true
        keys[#keys + 1] = 'users:' .. id
      end
    end
  end
until cursor == '0' or #keys == wanted
if #keys == 0 then return {} end
return call('MGET', unpack(keys))
