-- train.lua SCALE: an everyday mix for an interpreter: calls, strings, tables, closures, numbers.
local scale = tonumber(arg[1]) or 1
local function times(n) return math.max(1, math.floor(n * scale)) end

local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end

local function sieve(n)
  local composite, count = {}, 0
  for i = 2, n do
    if not composite[i] then
      count = count + 1
      for j = i * i, n, i do composite[j] = true end
    end
  end
  return count
end

local Account = {}
Account.__index = Account
function Account.new(name) return setmetatable({name = name, balance = 0, log = {}}, Account) end
function Account:deposit(n) self.balance = self.balance + n; self.log[#self.log + 1] = n end
function Account:mean()
  local sum = 0
  for _, n in ipairs(self.log) do sum = sum + n end
  return sum / #self.log
end

local function accounts(n)
  local all = {}
  for i = 1, 50 do all[i] = Account.new("holder" .. i) end
  for i = 1, n do all[i % 50 + 1]:deposit(i % 97) end
  local best = 0
  for _, a in ipairs(all) do best = math.max(best, a:mean()) end
  return best
end

local function words(n)
  local text = ("the quick brown fox jumps over a lazy dog and runs away "):rep(n)
  local counts = {}
  for word in text:gmatch("%a+") do counts[word] = (counts[word] or 0) + 1 end
  local list = {}
  for word, count in pairs(counts) do list[#list + 1] = ("%s=%d"):format(word, count) end
  table.sort(list)
  return table.concat(list, ","):gsub("o", "0"):upper()
end

local function matrix(n)
  local a, b, c = {}, {}, {}
  for i = 1, n do
    a[i], b[i], c[i] = {}, {}, {}
    for j = 1, n do a[i][j], b[i][j] = i + j, i - j + 0.5 end
  end
  for i = 1, n do
    for j = 1, n do
      local sum = 0
      for k = 1, n do sum = sum + a[i][k] * b[k][j] end
      c[i][j] = sum
    end
  end
  return c[n][n]
end

local function closures(n)
  local function compose(f, g) return function(x) return f(g(x)) end end
  local f = function(x) return x end
  for i = 1, 20 do f = compose(f, function(x) return x + i end) end
  local sum = 0
  for i = 1, n do sum = sum + f(i) end
  return sum
end

local function sorting(n)
  local seed, list = 42, {}
  for i = 1, n do
    seed = (seed * 1103515245 + 12345) % 2147483648
    list[i] = seed
  end
  table.sort(list, function(a, b) return a > b end)
  return list[1]
end

for _ = 1, times(28) do
  fib(24); sieve(60000); accounts(60000); words(900); matrix(48); closures(6000); sorting(12000)
end
