-- Puts a client's credentials in one place, the Basic header, which is the only one that the issuer looks at.
--
-- Clients of the programme send them by header, by body, or by both. RFC 6749 allows one of them (2.3), and the issuer
-- refuses two. A header that is there wins; credentials of the body make one only when there is none. Values stay
-- form-encoded, as RFC 6749 wants them inside the header, too. What is ambiguous (a parameter sent twice) or longer than
-- any true request stays as it is: the issuer then refuses it.

local LONGEST = 8192

local function is_form(headers)
  local kind = headers:get("content-type")
  return kind ~= nil and string.find(string.lower(kind), "application/x-www-form-urlencoded", 1, true) == 1
end

local function split(form)
  local credentials, others = {}, {}
  for pair in string.gmatch(form, "[^&]+") do
    local name, value = string.match(pair, "^([^=]*)=?(.*)$")
    if name ~= "client_id" and name ~= "client_secret" then
      others[#others + 1] = pair
    elseif credentials[name] ~= nil then
      return nil
    else
      credentials[name] = value
    end
  end
  return credentials, table.concat(others, "&")
end

function envoy_on_request(request)
  if not is_form(request:headers()) then
    return
  end
  local body = request:body(true)
  local length = body:length()
  if length == 0 or length > LONGEST then
    return
  end
  local credentials, others = split(body:getBytes(0, length))
  if credentials == nil then
    return
  end
  local headers = request:headers() -- anew: what was read before the body came is gone
  if headers:get("authorization") == nil then
    if credentials.client_id == nil or credentials.client_secret == nil then
      return
    end
    local pair = credentials.client_id .. ":" .. credentials.client_secret
    headers:replace("authorization", "Basic " .. request:base64Escape(pair))
  end
  body:setBytes(others)
end
