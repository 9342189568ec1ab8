-- The average score of each city: ARGV the cities, which no index lists.
local call, at_once = redis.call, 5000
local rows = {}
for _, name in ipairs(ARGV) do
  local city = call('SMEMBERS', 'idx:users:city:' .. name)
  local sum = 0
  for from = 1, #city, at_once do
    local to = math.min(from + at_once - 1, #city)
    local scores = call('ZMSCORE', 'idx:users:score', unpack(city, from, to))
    for n = 1, #scores do sum = sum + scores[n] end
  end
  if #city > 0 then rows[#rows + 1] = cjson.encode({city = name, avg = sum / #city}) end
end
return rows
