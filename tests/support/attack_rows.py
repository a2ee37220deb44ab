"""Attacks on the gateway, to the byte: what goes over the wire, the status that answers it, what the backend may see.

`{token}` stands for a true token for the API at `/api-alvo/v1`, whose backend is `/alvo` of its host; the neighbour at
`/api-vizinho/v1` was granted to nobody.
"""

from dataclasses import dataclass

import pytest

__all__ = ["FRAMES", "PATHS", "PLACES", "SPOOFED", "Attack", "params"]

HOST = "host: localhost:10443"
GOOD = "authorization: Bearer {token}"
LAST = "connection: close"
TARGET = "/api-alvo/v1/x"
REACHED = ("/alvo/x",)
"""What the backend sees of a call to TARGET."""


@dataclass(frozen=True)
class Attack:
    """One row."""

    words: str
    status: int
    lines: tuple[str, ...]
    body: bytes = b""
    reaches: tuple[str, ...] = ()
    """The targets that the backend sees, in order."""

    def request(self, token: str) -> bytes:
        """What goes over the wire."""
        head = "\r\n".join([*self.lines, "", ""]).replace("{token}", token)
        return head.encode("latin-1") + self.body.replace(b"{token}", token.encode())


def params(rows: list[Attack]) -> list[object]:
    """The rows for `parametrize`."""
    return [pytest.param(row, id=row.words) for row in rows]


def _carried(words: str, status: int, *lines: str, target: str = TARGET, reaches: tuple[str, ...] = ()) -> Attack:
    return Attack(words, status, (f"GET {target} HTTP/1.1", HOST, *lines, LAST), reaches=reaches)


PLACES = [
    _carried("no token", 401),
    _carried("a token in the query", 401, target=TARGET + "?access_token={token}"),
    _carried(
        "a query that holds no token beside a good header",
        200,
        GOOD,
        target=f"{TARGET}?access_token=x",
        reaches=("/alvo/x?access_token=x",),
    ),
    _carried("a token in a cookie", 401, "cookie: access_token={token}; Authorization={token}"),
    Attack(
        "a token in a form",
        401,
        (f"POST {TARGET} HTTP/1.1", HOST, "content-type: application/x-www-form-urlencoded", "content-length: 2000"),
        b"access_token={token}",
    ),
    _carried("a token as proxy's authorization", 401, "proxy-authorization: Bearer {token}"),
    _carried("a token as forwarded authorization", 401, "x-forwarded-authorization: Bearer {token}"),
    _carried("a good header, then a bad one", 401, GOOD, "authorization: Bearer bad"),
    _carried("a bad header, then a good one", 401, "authorization: Bearer bad", GOOD),
    _carried("a good header, then Basic", 401, GOOD, "authorization: Basic YTpi"),
    _carried("Basic, then a good header", 403, "authorization: Basic YTpi", GOOD),
    _carried("two tokens in one header", 401, "authorization: Bearer bad,Bearer {token}"),
    _carried("Basic and Bearer in one header", 403, "authorization: Basic Bearer {token}"),
    _carried(
        "a lower-case scheme is the same scheme",
        200,
        "authorization: bearer {token}",
        reaches=REACHED,
    ),
    _carried("an upper-case scheme", 401, "authorization: BEARER {token}"),
    _carried("Basic instead of Bearer", 401, "authorization: Basic {token}"),
    _carried("no scheme", 401, "authorization: {token}"),
    _carried("a tab after the scheme", 401, "authorization: Bearer\t{token}"),
    _carried("an empty token", 401, "authorization: Bearer "),
    _carried("an empty header", 401, "authorization:"),
    _carried("something after the token", 401, f"{GOOD} x"),
    _carried("something glued to the token", 401, f"{GOOD},x"),
    _carried("a token of 50 KB", 401, "authorization: Bearer " + "a" * 50_000),
    _carried("a token of 100 KB", 431, "authorization: Bearer " + "a" * 100_000),
    _carried("a connection header that removes authorization", 401, GOOD, "connection: authorization"),
    _carried("a name with a space before the colon", 400, "authorization : Bearer {token}"),
    _carried("a name with an underscore", 400, GOOD, "x_conecta_client: evil"),
]


def _path(words: str, status: int, target: str, *reaches: str) -> Attack:
    return Attack(words, status, (f"GET {target} HTTP/1.1", HOST, GOOD, LAST), reaches=reaches)


PATHS = [
    _path("the neighbour, plainly", 403, "/api-vizinho/v1/x"),
    _path("the neighbour by dots", 403, "/api-alvo/v1/../../api-vizinho/v1/x"),
    _path("the neighbour by encoded dots", 403, "/api-alvo/v1/%2e%2e/%2e%2e/api-vizinho/v1/x"),
    _path("the neighbour by half encoded dots", 403, "/api-alvo/v1/.%2e/%2E./api-vizinho/v1/x"),
    _path("the neighbour by backslashes", 403, "/api-alvo/v1/..\\..\\api-vizinho/v1/x"),
    _path("the neighbour by an encoded letter", 403, "/%61pi-vizinho/v1/x"),
    _path("the neighbour by doubled slashes", 403, "//api-vizinho//v1//x"),
    _path("the neighbour by an encoded slash", 400, "/api-alvo/v1/..%2f..%2fapi-vizinho/v1/x"),
    _path("the neighbour by an encoded backslash", 400, "/api-alvo/v1/..%5c..%5capi-vizinho/v1/x"),
    _path("the neighbour in an absolute target", 403, "https://localhost:10443/api-vizinho/v1/x"),
    _path(
        "the neighbour in the query", 200, "/api-alvo/v1/x?/../../api-vizinho/v1/x", "/alvo/x?/../../api-vizinho/v1/x"
    ),
    _path("the neighbour behind a fragment", 400, "/api-alvo/v1/x#/../../api-vizinho/v1/x"),
    _path("the neighbour before a fragment", 400, "/api-vizinho/v1/x#/api-alvo/v1/x"),
    _path("doubled slashes are one", 200, "//api-alvo//v1///x", "/alvo/x"),
    _path("a dot is no segment", 200, "/./api-alvo/./v1/./x", "/alvo/x"),
    _path("dots back to where they came from", 200, "/api-alvo/v1/../v1/x", "/alvo/x"),
    _path("a trailing dot", 200, "/api-alvo/v1/x/.", "/alvo/x/"),
    _path("trailing dots", 200, "/api-alvo/v1/x/..", "/alvo/"),
    _path("trailing dots that leave the API", 404, "/api-alvo/v1/.."),
    _path("dots above the root", 404, "/api-alvo/v1/../../../../x"),
    _path("three dots are a name", 200, "/api-alvo/v1/.../x", "/alvo/.../x"),
    _path("an encoded letter", 200, "/%61pi%2dalvo/v1/x", "/alvo/x"),
    _path("an encoded slash", 400, "/api-alvo/v1%2fx"),
    _path("an encoded backslash", 400, "/api-alvo/v1/x%5cy"),
    _path("dots with a parameter", 404, "/api-alvo/v1/..;/x"),
    _path("dots with a named parameter", 404, "/api-alvo/v1/..;a=b/x"),
    _path("encoded dots with a parameter", 403, "/api-alvo/v1/%2e%2e;/x"),
    _path("half encoded dots with a parameter", 403, "/api-alvo/v1/x/.%2e;a=b/y"),
    _path("a parameter on the base path", 404, "/api-alvo/v1;x/x"),
    _path("an encoded null", 400, "/api-alvo/v1/x%00"),
    _path("an encoded null before dots", 400, "/api-alvo/v1/x%00/../y"),
    _path("a control character", 400, "/api-alvo/v1/\x01x"),
    _path("a letter beyond ASCII", 400, "/api-alvo/v1/\xe9"),
    _path("a space", 400, "/api-alvo/v1/x y"),
    _path("another case of the name", 404, "/API-ALVO/v1/x"),
    _path("another case of the version", 404, "/api-alvo/V1/x"),
    _path("a dot after the version", 404, "/api-alvo/v1./x"),
    _path("a longer version", 404, "/api-alvo/v12/x"),
    _path("a base path that only begins so", 404, "/api-alvo/v1x"),
    _path("dots encoded twice stay below the API", 200, "/api-alvo/v1/%252e%252e/x", "/alvo/%252e%252e/x"),
    _path("a slash encoded twice stays one segment", 200, "/api-alvo/v1/..%252fx", "/alvo/..%252fx"),
    _path("an overlong encoding of dots", 200, "/api-alvo/v1/%c0%ae%c0%ae/x", "/alvo/%c0%ae%c0%ae/x"),
    _path("a line's end in the path stays encoded", 200, "/api-alvo/v1/x%0d%0aa:%20b", "/alvo/x%0d%0aa:%20b"),
    _path("a target without its slash", 400, "api-alvo/v1/x"),
    _path("an asterisk", 400, "*"),
    _path("a scheme that is no web's", 400, "file:///etc/passwd"),
    _path("an absolute target of this host", 200, f"https://localhost:10443{TARGET}", "/alvo/x"),
    _path("an absolute target of another host", 200, f"https://evil.example{TARGET}", "/alvo/x"),
    _path("the issuer's admin API as an absolute target", 404, "https://127.0.0.1:4445/admin/clients"),
    _path("the issuer's admin API", 404, "/admin/clients"),
    _path("the issuer's own path for tokens", 404, "/oauth2/token"),
    _path("the issuer's other pages by way of the token's", 404, "/oauth2/jwt-token/../auth"),
    _path("a path of 70 KB", 431, "/api-alvo/v1/" + "a" * 70_000),
    _path("a query of 70 KB", 431, f"{TARGET}?{'a' * 70_000}"),
]

_SMUGGLED = b"GET /api-alvo/v1/contrabando HTTP/1.1\r\nhost: localhost:10443\r\nauthorization: Bearer {token}\r\n\r\n"
_NO_CHUNKS = b"0\r\n\r\n" + _SMUGGLED
_HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def _frame(
    words: str, status: int, *lines: str, method: str = "GET", body: bytes = b"", reaches: tuple[str, ...] = ()
) -> Attack:
    return Attack(words, status, (f"{method} {TARGET} HTTP/1.1", HOST, GOOD, *lines), body, reaches)


def _sized(words: str, *lines: str) -> Attack:
    return _frame(words, 400, *lines, method="POST", body=b"hello")


def _encoded(words: str, status: int, *lines: str) -> Attack:
    return _frame(words, status, *lines, method="POST", body=_NO_CHUNKS)


def _chunked(words: str, status: int, body: bytes, *lines: str) -> Attack:
    reaches = REACHED if status == 200 else ()
    lines = lines or ("transfer-encoding: chunked",)
    return _frame(words, status, *lines, LAST, method="POST", body=body, reaches=reaches)


FRAMES = [
    _frame(
        "two requests in one go are two",
        200,
        "content-length: 0",
        body=_SMUGGLED,
        reaches=("/alvo/x", "/alvo/contrabando"),
    ),
    _frame(
        "a request as the body of a GET is a body",
        200,
        "content-length: 20",
        LAST,
        body=_SMUGGLED[:20],
        reaches=REACHED,
    ),
    _encoded("a length and chunks", 400, f"content-length: {len(_NO_CHUNKS)}", "transfer-encoding: chunked"),
    _encoded("chunks and a length", 400, "transfer-encoding: chunked", "content-length: 4"),
    _encoded("two different lengths", 400, "content-length: 0", f"content-length: {len(_NO_CHUNKS)}"),
    _sized("two equal lengths", "content-length: 5", "content-length: 5"),
    _sized("two lengths in one", "content-length: 5, 5"),
    _sized("a length with a sign", "content-length: +5"),
    _sized("a negative length", "content-length: -5"),
    _sized("a length in hex", "content-length: 0x5"),
    _sized("an empty length", "content-length:"),
    _sized("a length of twenty digits", f"content-length: {'9' * 20}"),
    _sized("a length with a vertical tab", "content-length: 5\x0b"),
    _encoded("an encoding that looks like chunks", 501, "transfer-encoding: xchunked"),
    _encoded("chunks, then identity", 501, "transfer-encoding: chunked, identity"),
    _encoded("chunks of chunks", 501, "transfer-encoding: chunked, chunked"),
    _encoded("chunks of gzip", 501, "transfer-encoding: gzip, chunked"),
    _encoded("quoted chunks", 501, 'transfer-encoding: "chunked"'),
    _encoded("chunks with a parameter", 501, "transfer-encoding: chunked;q=1"),
    _encoded("chunks with a vertical tab", 400, "transfer-encoding: chunked\x0b"),
    _encoded("two encodings", 501, "transfer-encoding: chunked", "transfer-encoding: identity"),
    _encoded("a space before the encoding's colon", 400, "transfer-encoding : chunked", "content-length: 4"),
    _encoded("a folded encoding", 400, "transfer-encoding:\r\n chunked", "content-length: 4"),
    _encoded("an encoding with an underscore", 400, "transfer_encoding: chunked", "content-length: 4"),
    _chunked("chunks in another case", 200, _HELLO, "transfer-encoding: Chunked"),
    _chunked("a chunk with an extension", 200, b"5;a=b\r\nhello\r\n0\r\n\r\n"),
    _chunked("a chunk whose size is no hex", 400, b"0x5\r\nhello\r\n0\r\n\r\n"),
    _chunked("a chunk of unlimited size", 400, b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
    _chunked("chunks that end in a line feed", 400, b"5\nhello\n0\n\n"),
    Attack("a line folded before any header", 400, (f"GET {TARGET} HTTP/1.1", " x: y", HOST, GOOD)),
    _frame("a header without colon", 400, "nocolon"),
    _frame("a header without name", 400, ": x"),
    _frame("a name with parentheses", 400, "x(a): x"),
    _frame("a null in a value", 400, "x-a: b\x00c"),
    _frame("150 headers", 431, *(f"x-{n}: 1" for n in range(150))),
    _frame("a header of 64 KB", 431, "x-a: " + "a" * 65_000),
    _frame("an upgrade to TLS", 200, "connection: upgrade", "upgrade: TLS/1.0", reaches=REACHED),
    _frame(
        "an upgrade to HTTP/2 is passed over",
        200,
        "connection: upgrade, http2-settings",
        "upgrade: h2c",
        "http2-settings: AAMAAABk",
        reaches=REACHED,
    ),
    Attack("HTTP/2 that nobody agreed on", 400, ("PRI * HTTP/2.0",), b"SM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)),
    Attack("no host", 400, (f"GET {TARGET} HTTP/1.1", GOOD, LAST)),
    Attack("a host with a path", 400, (f"GET {TARGET} HTTP/1.1", "host: localhost/api-vizinho", GOOD)),
    Attack("a host with a space", 400, (f"GET {TARGET} HTTP/1.1", "host: localhost evil", GOOD)),
    Attack("two hosts in one", 400, (f"GET {TARGET} HTTP/1.1", "host: localhost, evil", GOOD)),
    Attack(
        "two hosts",
        403,
        (f"GET {TARGET} HTTP/1.1", HOST, "host: evil", GOOD),
    ),
    Attack("HTTP/1.0", 426, (f"GET {TARGET} HTTP/1.0", HOST, GOOD)),
    Attack("HTTP/0.9", 426, (f"GET {TARGET}",)),
    Attack("a version that is none", 426, (f"GET {TARGET} HTTP/1.2", HOST, GOOD)),
    Attack("CONNECT to a path", 400, (f"CONNECT {TARGET} HTTP/1.1", HOST, GOOD)),
    Attack("TRACE without a token", 401, (f"TRACE {TARGET} HTTP/1.1", HOST)),
    Attack("TRACE", 403, (f"TRACE {TARGET} HTTP/1.1", HOST, GOOD, LAST)),
    Attack("OPTIONS without a token", 401, (f"OPTIONS {TARGET} HTTP/1.1", HOST)),
    Attack("HEAD without a token", 401, (f"HEAD {TARGET} HTTP/1.1", HOST)),
    Attack("a method in lower case", 400, (f"get {TARGET} HTTP/1.1", HOST, GOOD)),
    Attack("a method that is none", 400, (f"FOO {TARGET} HTTP/1.1", HOST, GOOD)),
]

SPOOFED = (
    "x-conecta-client",
    "X-CONECTA-SCOPE",
    "x-conecta-grant",
    "x-conecta-agency",
    "x-conecta-application",
    "x-request-id",
    "x-forwarded-client-cert",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-original-url",
    "x-rewrite-url",
    "x-envoy-original-path",
    "x-envoy-original-host",
    "x-envoy-internal",
    "x-envoy-external-address",
    "x-envoy-force-trace",
    "x-envoy-retry-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-ip-tags",
    "x-envoy-attempt-count",
    "x-envoy-peer-metadata",
    "x-envoy-is-timeout-retry",
    "proxy-connection",
    "keep-alive",
)
"""Headers that a client has no say in."""
