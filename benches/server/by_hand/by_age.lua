-- The average score at each age within a city: ARGV[1] the city.
local call, at_once = redis.call, 5000
local city = call('SMEMBERS', 'idx:users:city:' .. ARGV[1])
local sums, counts, ages_found = {}, {}, {}
for from = 1, #city, at_once do
  local to = math.min(from + at_once - 1, #city)
  local ages = call('ZMSCORE', 'idx:users:age', unpack(city, from, to))
  local scores = call('ZMSCORE', 'idx:users:score', unpack(city, from, to))
  for n = 1, #ages do
    local age = ages[n]
    if not sums[age] then
      sums[age], counts[age] = 0, 0
      ages_found[#ages_found + 1] = age
    end
    sums[age] = sums[age] + scores[n]
    counts[age] = counts[age] + 1
  end
end
table.sort(ages_found, function(a, b) return tonumber(a) < tonumber(b) end)
local rows = {}
for n, age in ipairs(ages_found) do
  rows[n] = cjson.encode({age = tonumber(age), avg = sums[age] / counts[age]})
end
return rows
