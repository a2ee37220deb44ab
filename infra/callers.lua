-- Says who calls, by headers that no client can send: to access rules and rate limits, to the log, and to the backend.
--
-- jwt_authn runs before, and leaves the scopes of a verified token in x-conecta-scope; what runs after denies a call that
-- bears no x-conecta-grant. So nothing that fails here lets anybody in, an error of this very script included. A token
-- that doesn't name agency, application and grant, each once, names nobody: its holder asked for a part of its scopes.
--
-- The token itself goes no further: a backend could call other APIs with it. A token that is not in one header, in one
-- form, is none, since what is behind might read it differently.

local TELLS = { agency = "x-conecta-agency", application = "x-conecta-application", grant = "x-conecta-grant" }

local function named_by(scopes)
  local names, repeated = {}, false
  for scope in string.gmatch(scopes, "%S+") do
    local kind, name = string.match(scope, "^(%l+):(.+)$")
    if TELLS[kind or ""] ~= nil then
      repeated = repeated or names[kind] ~= nil
      names[kind] = name
    end
  end
  local complete = names.agency ~= nil and names.application ~= nil and names.grant ~= nil
  return complete and not repeated and names or nil
end

-- Envoy compares each value of a header by itself, so that a second one hides behind the first.
local function sent_repeatedly(headers)
  local seen, repeated = {}, {}
  for name in pairs(headers) do
    if seen[name] then
      repeated[#repeated + 1] = name
    end
    seen[name] = true
  end
  return repeated
end

local function check_digit(cpf, count)
  local sum = 0
  for i = 1, count do
    sum = sum + (string.byte(cpf, i) - 48) * (count + 2 - i)
  end
  return 10 * sum % 11 % 10
end

-- Modulo 11, as the Receita Federal has it: the first digit is of nine, the second of ten.
local function is_cpf(text)
  return string.match(text, "^%d%d%d%d%d%d%d%d%d%d%d$") ~= nil
    and check_digit(text, 9) == string.byte(text, 10) - 48
    and check_digit(text, 10) == string.byte(text, 11) - 48
end

-- What routes whose API demands it look at.
local function what_is_wrong(headers)
  local wrong = {}
  local repeated, cpf = sent_repeatedly(headers), headers:get("x-cpf-usuario")
  if #repeated > 0 then
    wrong["x-conecta-repeated"] = table.concat(repeated, ",")
  end
  if cpf ~= nil and not is_cpf(cpf) then
    wrong["x-conecta-malformed"] = "x-cpf-usuario"
  end
  return wrong
end

function envoy_on_request(request)
  local headers = request:headers()
  local scopes, authorization = headers:get("x-conecta-scope"), headers:get("authorization")
  if scopes == nil or string.match(authorization or "", "^[Bb]earer +[^ ,]+$") == nil then
    return
  end
  local names = named_by(scopes)
  if names == nil then
    return
  end
  for told_by, wrong in pairs(what_is_wrong(headers)) do
    headers:replace(told_by, wrong)
    request:clearRouteCache()
  end
  headers:remove("authorization")
  headers:replace("x-conecta-agency", names.agency)
  headers:replace("x-conecta-application", names.application)
  headers:replace("x-conecta-grant", names.grant)
end
