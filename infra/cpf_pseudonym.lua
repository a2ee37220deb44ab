-- Logs for whom a call is made without saying who that is: HMAC-SHA-256 (RFC 2104) of the CPF, cut to 128 bits.
--
-- A bare hash would hide nothing: there are a thousand million CPFs, which a laptop tries in a minute. The key lies in a
-- file, beside Envoy and nowhere else, and is read anew every minute, so that it can be changed while calls go on. Each
-- pseudonym begins with the key's own mark, by which those of one key are told from those of another. Without a key
-- nothing is logged, and calls go on.

local KEY_FILE = "@KEY_FILE@"
local REREAD_AFTER = 60 -- seconds
local SHORTEST_KEY = 32 -- bytes

local band, bnot, bxor, rol, ror, rshift, tobit, tohex
if bit ~= nil then -- Envoy's LuaJIT has it; the Lua by which Envoy Gateway tries scripts has not, and sees no CPF
  band, bnot, bxor, rol, ror = bit.band, bit.bnot, bit.bxor, bit.rol, bit.ror
  rshift, tobit, tohex = bit.rshift, bit.tobit, bit.tohex
end

-- The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of 8 (FIPS
-- 180-4, sections 4.2.2 and 5.3.3).
local ROUND = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
local START = {
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

local word = {} -- of the block that is worked on; workers don't share it

local function compress(state, text, offset)
  for i = 1, 16 do
    local a, b, c, d = string.byte(text, offset + 4 * i - 3, offset + 4 * i)
    word[i] = tobit(((a * 256 + b) * 256 + c) * 256 + d)
  end
  for i = 17, 64 do
    local x, y = word[i - 15], word[i - 2]
    local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    word[i] = tobit(word[i - 16] + s0 + word[i - 7] + s1)
  end
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 1, 64 do
    local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
    local t1 = tobit(h + s1 + bxor(band(e, f), band(bnot(e), g)) + ROUND[i] + word[i])
    local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
    local t2 = tobit(s0 + bxor(band(a, b), band(a, c), band(b, c)))
    h, g, f, e, d, c, b, a = g, f, e, tobit(d + t1), c, b, a, tobit(t1 + t2)
  end
  return {
    tobit(state[1] + a), tobit(state[2] + b), tobit(state[3] + c), tobit(state[4] + d),
    tobit(state[5] + e), tobit(state[6] + f), tobit(state[7] + g), tobit(state[8] + h),
  }
end

local function bytes(...)
  local text = {}
  for _, number in ipairs({ ... }) do
    local byte = band(number, 0xff)
    text[#text + 1] = string.char(
      band(rshift(number, 24), 0xff), band(rshift(number, 16), 0xff), band(rshift(number, 8), 0xff), byte
    )
  end
  return table.concat(text)
end

-- Goes on from a state that holds `before` bytes already, whole blocks.
local function finish(state, before, text)
  local bits = 8 * (before + #text)
  local padded = text .. "\128" .. string.rep("\0", (55 - #text) % 64) .. bytes(0, bits)
  for offset = 0, #padded - 64, 64 do
    state = compress(state, padded, offset)
  end
  return state
end

local function padded_key(key, pad)
  local bytes_of_key = #key <= 64 and key or bytes(unpack(finish(START, 0, key)))
  local filled = bytes_of_key .. string.rep("\0", 64 - #bytes_of_key)
  return (string.gsub(filled, ".", function(byte)
    return string.char(bxor(string.byte(byte), pad))
  end))
end

-- What of HMAC depends on the key alone.
local function keyed(key)
  return { inner = compress(START, padded_key(key, 0x36), 0), outer = compress(START, padded_key(key, 0x5c), 0) }
end

local function hmac(key, text)
  local inner = finish(key.inner, 64, text)
  return finish(key.outer, 64, bytes(unpack(inner)))
end

local function hexadecimal(state, words)
  local text = {}
  for i = 1, words do
    text[i] = tohex(state[i])
  end
  return table.concat(text)
end

local current, text_of_key, read_at = nil, nil, nil

local function read_key(request)
  local file = io.open(KEY_FILE, "rb")
  local text = file ~= nil and string.match(file:read("*a"), "^(.-)%s*$") or ""
  if file ~= nil then
    file:close()
  end
  if #text < SHORTEST_KEY then
    request:logWarn("no key for pseudonyms of CPFs in " .. KEY_FILE)
    current, text_of_key = nil, nil
  elseif text ~= text_of_key then
    local key = keyed(text)
    current, text_of_key = { key = key, mark = hexadecimal(hmac(key, "conecta"), 1) }, text
  end
end

function envoy_on_request(request)
  local cpf = request:headers():get("x-cpf-usuario")
  if cpf == nil or string.match(cpf, "^%d%d%d%d%d%d%d%d%d%d%d$") == nil then
    return
  end
  local now = os.time()
  if read_at == nil or now - read_at >= REREAD_AFTER then
    read_key(request)
    read_at = now
  end
  if current ~= nil then
    local pseudonym = current.mark .. ":" .. hexadecimal(hmac(current.key, cpf), 4)
    request:streamInfo():dynamicMetadata():set("conecta", "user_pseudonym", pseudonym)
  end
end
