-- evaluate.lua SCALE: other work than train.lua's: search, trees, text, coroutines, numbers.
local scale = tonumber(arg[1]) or 1
local function times(n) return math.max(1, math.floor(n * scale)) end

local function queens(n)
  local columns, up, down, found = {}, {}, {}, 0
  local function place(row)
    if row > n then found = found + 1 return end
    for c = 1, n do
      if not (columns[c] or up[row + c] or down[row - c + n]) then
        columns[c], up[row + c], down[row - c + n] = true, true, true
        place(row + 1)
        columns[c], up[row + c], down[row - c + n] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end

local function tree(depth)
  if depth == 0 then return {} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end
local function check(t) if not t.left then return 1 end return 1 + check(t.left) + check(t.right) end

local function encode(value, out)
  local kind = type(value)
  if kind == "table" and #value > 0 then
    out[#out + 1] = "["
    for i, item in ipairs(value) do
      if i > 1 then out[#out + 1] = "," end
      encode(item, out)
    end
    out[#out + 1] = "]"
  elseif kind == "table" then
    local names = {}
    for name in pairs(value) do names[#names + 1] = name end
    table.sort(names)
    out[#out + 1] = "{"
    for i, name in ipairs(names) do
      out[#out + 1] = (i > 1 and "," or "") .. ("%q:"):format(name)
      encode(value[name], out)
    end
    out[#out + 1] = "}"
  elseif kind == "string" then
    out[#out + 1] = '"' .. value:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
  else
    out[#out + 1] = tostring(value)
  end
  return out
end

local function documents(n)
  local size = 0
  for i = 1, n do
    local d = {id = i, title = 'a "title" of ' .. i, tags = {"red", "green", "blue\n"}, score = i / 7,
      nested = {deep = {deeper = {i, i + 1, i + 2}}}}
    size = size + #table.concat(encode(d, {}))
  end
  return size
end

local function parse(text)
  local at = 1
  local expression
  local function factor()
    local number = text:match("^%d+", at)
    if number then at = at + #number return tonumber(number) end
    at = at + 1
    local value = expression()
    at = at + 1
    return value
  end
  local function term()
    local value = factor()
    while true do
      local op = text:sub(at, at)
      if op == "*" then at = at + 1 value = value * factor() else return value end
    end
  end
  function expression()
    local value = term()
    while true do
      local op = text:sub(at, at)
      if op == "+" then at = at + 1 value = value + term()
      elseif op == "-" then at = at + 1 value = value - term()
      else return value end
    end
  end
  return expression()
end

local function producers(n)
  local sum = 0
  local producer = coroutine.wrap(function() for i = 1, n do coroutine.yield(i % 13) end return nil end)
  for i = 1, n do sum = sum + (producer() or 0) end
  return sum
end

local function spectral(n)
  local function a(i, j) local ij = i + j - 1 return 1.0 / (ij * (ij - 1) * 0.5 + i) end
  local u, v = {}, {}
  for i = 1, n do u[i] = 1 end
  for i = 1, n do
    local s = 0
    for j = 1, n do s = s + a(i, j) * u[j] end
    v[i] = s
  end
  return v[n]
end

for _ = 1, times(28) do
  queens(7); check(tree(12)); documents(900); producers(40000); spectral(200)
  for _ = 1, 300 do parse("1+2*(3+4*(5-6))*7-(8+9)*(10-11*2)+12*13*(14+15)") end
end
