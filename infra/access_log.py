"""The access log: one JSON line for every call, with what the programme must be able to prove about it.

No path, query or header of the client's making, no body and no token: they carry CPFs, and a path may
(`/contas/{cpf}`). `traceparent` is let in only if it looks like W3C's: version, trace id, parent id, flags. Headers
`x-conecta-*` are never the client's. Of the user there is a pseudonym that only who has the stack's key can make or
check (`cpf_pseudonym.lua`).
"""

from typing import Final

from infra.problems import SOURCE_ADDRESS

__all__ = ["ACCESS_LOG"]

_CLAIM: Final = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:conecta:{})%"
_ROUTE: Final = "xds.route_metadata.filter_metadata['envoy-gateway'].resources[0]"
_TRACE: Final = "request.headers['traceparent']"
_HEXADECIMAL: Final = "'^00-[0-9a-f-]+$'"

ACCESS_LOG: Final = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "traceparent": f"%CEL(size({_TRACE}) == 55 && {_TRACE}.matches({_HEXADECIMAL}) ? {_TRACE} : '')%",
    "api_namespace": f"%CEL({_ROUTE}.namespace)%",
    "api": f"%CEL({_ROUTE}.name)%",
    "path_template": f"%CEL({_ROUTE}.annotations['path-template'])%",
    "rule": f"%CEL({_ROUTE}.sectionName)%",
    "route": "%ROUTE_NAME%",
    "client_id": _CLAIM.format("client_id"),
    "scopes": _CLAIM.format("scp"),
    "agency": "%REQ(X-CONECTA-AGENCY)%",
    "application": "%REQ(X-CONECTA-APPLICATION)%",
    "grant": "%REQ(X-CONECTA-GRANT)%",
    "user_pseudonym": "%DYNAMIC_METADATA(conecta:user_pseudonym)%",
    "source_ip": SOURCE_ADDRESS,
    "peer_ip": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    "method": "%REQ(:METHOD)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "answered_by": "%CEL(response.code_details == 'via_upstream' ? 'backend' : 'gateway')%",
    "status_details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "backend": "%UPSTREAM_HOST%",
    "backend_us": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%",
}
"""`source_ip` is what source ranges are checked against; `peer_ip` is the connection's, perhaps a proxy's."""
