"""Manifests of ConectaApi that break one rule each: see `custom_resource_rows`."""

from tests.support.api_rows import API, CREDENTIAL, HEADER, IDLE, PLAN, ROUTE, SERVICE, TLS, URL
from tests.support.changes import ABSENT, CONTACT, WRONG_CONTACTS

__all__ = ["REFUSED"]

REFUSED = [
    (API, {"metadata.name": "a" * 51}, "metadata.name", "an API's name of 51 characters"),
    (API, {"metadata.name": "cep.v1"}, "metadata.name", "an API's name with a dot"),
    (API, {"spec": ABSENT}, "spec", "an API without spec"),
    *((API, {f"spec.{f}": ABSENT}, f"spec.{f}", f"no {f}") for f in ("title", "contacts", "version", "backend")),
    (API, {"spec.title": ""}, "spec.title", "an empty title"),
    (API, {"spec.title": " "}, "spec.title", "a blank title"),
    (API, {"spec.title": "T" * 101}, "spec.title", "a title of 101 characters"),
    (API, {"spec.description": "D" * 4001}, "spec.description", "a description of 4001 characters"),
    (API, {"spec.contacts": []}, "spec.contacts", "an API that nobody answers for"),
    (API, {"spec.contacts": [CONTACT] * 11}, "spec.contacts", "eleven contacts"),
    (API, {"spec.contacts.0.name": ABSENT}, "spec.contacts[0].name", "a contact without name"),
    (API, {"spec.contacts.0.email": ABSENT}, "spec.contacts[0].email", "a contact without address"),
    *(
        (API, {f"spec.contacts.0.{field}": value}, f"spec.contacts[0].{field}", f"an API's contact with {what}")
        for field, value, what in WRONG_CONTACTS
    ),
    (API, {"spec.documentation": {}}, "spec.documentation.url", "documentation nowhere"),
    (API, {"spec.documentation.url": "http://docs.receita.example"}, "spec.documentation.url", "documentation by http"),
    (API, {"spec.documentation.url": "docs"}, "spec.documentation.url", "documentation that is no URL"),
    (API, {"spec.documentation.url": "https://"}, "spec.documentation.url", "documentation without host"),
    (
        API,
        {"spec.documentation.url": "https://h/" + "x" * 2039},
        "spec.documentation.url",
        "documentation too far away",
    ),
    (API, {"spec.version": "v1234567890"}, "spec.version", "a version of ten digits"),
    (API, {"spec.version": "1"}, "spec.version", "a version without v"),
    (API, {"spec.version": "v1.2"}, "spec.version", "a version with a dot"),
    (API, {"spec.version": "v"}, "spec.version", "a version without number"),
    (API, {"spec.version": 1}, "spec.version", "a version that is a number"),
    (API, {"spec.basePath": "/cep/v1"}, "spec.basePath", "a base path without api-"),
    (API, {"spec.basePath": "/api-cep"}, "spec.basePath", "a base path without version"),
    (API, {"spec.basePath": "/api-cep/v1/"}, "spec.basePath", "a base path with a slash at its end"),
    (API, {"spec.basePath": "/api-cep/../v1"}, "spec.basePath", "a base path that climbs"),
    (API, {"spec.basePath": "/api-CEP/v1"}, "spec.basePath", "a base path in capitals"),
    (API, {"spec.basePath": "/api-" + "c" * 93 + "/v1"}, "spec.basePath", "a base path of 101 characters"),
    (API, {"spec.basePath": ""}, "spec.basePath", "an empty base path"),
    (API, {"spec.backend": {}}, "spec.backend", "a backend that is nowhere"),
    (API, {"spec.backend.service": SERVICE}, "spec.backend", "both a service and a URL"),
    (API, {"spec.backend": {"service": {"port": 1}}}, "spec.backend.service.name", "a service without name"),
    (API, {"spec.backend": {"service": {"name": "cep"}}}, "spec.backend.service.port", "a service without port"),
    (API, {"spec.backend": {"service": {"name": "c", "port": 0}}}, "spec.backend.service.port", "port 0"),
    (API, {"spec.backend": {"service": {"name": "c", "port": 65536}}}, "spec.backend.service.port", "port 65536"),
    (
        API,
        {"spec.backend": {"service": {"name": "a.b", "port": 1}}},
        "spec.backend.service.name",
        "a service elsewhere",
    ),
    *(
        (API, {"spec.backend.url": url}, "spec.backend.url", what)
        for url, what in (
            ("", "an empty URL"),
            ("http://servicos.receita.example", "a URL by http"),
            ("HTTPS://servicos.receita.example", "a URL's scheme in capitals"),
            ("https://", "a URL without host"),
            ("https:///cep", "a URL with only a path"),
            ("https://:8443/cep", "a URL with only a port"),
            ("https://servicos.receita.example/cep?chave=1", "a URL with a query"),
            ("https://servicos.receita.example/cep?", "a URL with an empty query"),
            ("https://servicos.receita.example/cep#uso", "a URL with a fragment"),
            ("https://ana@servicos.receita.example", "a URL with a user"),
            ("https://ana:senha@servicos.receita.example", "a URL with a password"),
            ("https://@servicos.receita.example", "a URL with an empty user"),
            ("https://servicos.receita.example/a b", "a URL with a space"),
            ("https://servicos.receita.example/\nx", "a URL with a line break"),
            ("https://serviços.receita.example", "a URL with a cedilla"),
            ("https://servicos.receita.example/%zz", "a URL with a broken escape"),
            ("https://h/" + "x" * 2039, "a URL of 2049 characters"),
        )
    ),
    (API, {"spec.backend": {"service": SERVICE, "tls": TLS}}, "spec.backend.tls", "a CA for a service"),
    (API, {"spec.backend.tls": {}}, "spec.backend.tls", "tls that says nothing"),
    (API, {"spec.backend.tls": {"hostname": "A.b"}}, "spec.backend.tls.hostname", "a certificate's name in capitals"),
    (API, {"spec.backend.tls": {"hostname": ""}}, "spec.backend.tls.hostname", "an empty name in a certificate"),
    (
        API,
        {"spec.backend.tls": {"clientCertificateRef": {}}},
        "spec.backend.tls.clientCertificateRef.name",
        "a nameless Secret",
    ),
    (API, {"spec.backend.connections": {}}, "spec.backend.connections.max", "a limit without number"),
    *(
        (API, {"spec.backend.connections": {"max": 9, **limits}}, f"spec.backend.connections.{field}", what)
        for limits, field, what in (
            ({"max": 0}, "max", "no connection"),
            ({"max": 10_001}, "max", "10001 connections"),
            ({"maxWaiting": 0}, "maxWaiting", "no call that waits"),
            ({"maxWaiting": 10_001}, "maxWaiting", "10001 calls that wait"),
        )
    ),
    (
        API,
        {"spec.backend.headersFromSecret": [CREDENTIAL, {**CREDENTIAL, "name": "X-Api-Key"}]},
        "spec.backend.headersFromSecret",
        "two headers from Secrets",
    ),
    (
        API,
        {"spec.backend.headersFromSecret": [{"name": "X-Api-Key"}]},
        "spec.backend.headersFromSecret[0].secretRef",
        "a header from nowhere",
    ),
    *(
        (
            API,
            {"spec.backend.headersFromSecret": [{**CREDENTIAL, "name": name}]},
            "spec.backend.headersFromSecret[0].name",
            f"a Secret's header {what}",
        )
        for name, what in (
            ("", "without name"),
            ("X_Api_Key", "with underscores"),
            ("X Api", "with a space"),
            (":authority", "of HTTP/2"),
            ("HOST", "that names the host"),
            ("Content-Length", "that delimits the body"),
            ("Transfer-Encoding", "that delimits it otherwise"),
            ("Connection", "that is the connection's"),
            ("X-Conecta-Grant", "that is the platform's"),
            ("X-Forwarded-For", "that is a proxy's"),
            ("x-cpf-usuario", "that is the caller's"),
            ("X" * 65, "of 65 characters"),
        )
    ),
    (API, {"spec.backend.tls.caCertificateRef": {}}, "spec.backend.tls.caCertificateRef.name", "a nameless ConfigMap"),
    (
        API,
        {"spec.backend.tls.caCertificateRef.name": "CA"},
        "spec.backend.tls.caCertificateRef.name",
        "a ConfigMap's name in capitals",
    ),
    (
        API,
        {"spec.backend.tls.caCertificateRef.name": "c" * 254},
        "spec.backend.tls.caCertificateRef.name",
        "a ConfigMap's name of 254 characters",
    ),
    (
        API,
        {"spec.backend": {"service": {"name": "s" * 64, "port": 1}}},
        "spec.backend.service.name",
        "a service's name of 64 characters",
    ),
    *(
        (API, {"spec.backend.weight": weight}, "spec.backend.weight", what)
        for weight, what in (
            (-1, "a negative weight"),
            (1_000_001, "a weight above a million"),
            ("1", "a weight in words"),
            (0, "a default backend that nothing reaches"),
        )
    ),
    *(
        (API, {"spec.backend.timeout": text}, "spec.backend.timeout", what)
        for text, what in (
            ("121s", "a timeout of 121s"),
            ("3m", "a timeout of three minutes"),
            ("0s", "a timeout at once"),
            ("1500ms", "a timeout in milliseconds"),
            ("1h", "a timeout in hours"),
            ("", "an empty timeout"),
            (15, "a timeout without unit"),
        )
    ),
    (API, {"spec.routes": [ROUTE] * 9}, "spec.routes", "nine further backends"),
    (API, {"spec.routes": [IDLE]}, "spec.routes", "a path prefix that nothing answers"),
    (API, {"spec.routes": [{"pathPrefix": "/c"}]}, "spec.routes[0].backend", "a route to nowhere"),
    (API, {"spec.routes": [{"backend": URL}]}, "spec.routes[0].pathPrefix", "a route without path prefix"),
    (API, {"spec.routes": [{**ROUTE, "backend": {}}]}, "spec.routes[0].backend", "a route's backend that is nowhere"),
    (
        API,
        {"spec.routes": [{**ROUTE, "backend": {"url": "http://novo.receita.example"}}]},
        "spec.routes[0].backend.url",
        "a route by http",
    ),
    *(
        (API, {"spec.routes": [{"pathPrefix": prefix, "backend": URL}]}, "spec.routes[0].pathPrefix", what)
        for prefix, what in (
            ("", "an empty path prefix"),
            ("consulta", "a path prefix without slash"),
            ("/consulta/", "a path prefix with a slash at its end"),
            ("//", "a path prefix of two slashes"),
            ("/a//b", "a path prefix with an empty segment"),
            ("/..", "a path prefix that climbs"),
            ("/a/./b", "a path prefix that stays where it is"),
            ("/a/../b", "a path prefix that goes there and back"),
            ("/a%2fb", "a path prefix with an encoded slash"),
            ("/a;b=1", "a path prefix with a parameter"),
            ("/a?b", "a path prefix with a query"),
            ("/a#b", "a path prefix with a fragment"),
            ("/a\\b", "a path prefix with a backslash"),
            ("/a b", "a path prefix with a space"),
            ("/é", "a path prefix beyond ASCII"),
            ("/" + "p" * 200, "a path prefix of 201 characters"),
        )
    ),
    (API, {"spec.access": {"approval": "automatic"}}, "spec.access.approval", "another word for who approves"),
    *(
        (API, {"spec.access": {"preapproved": entries}}, f"spec.access.preapproved{at}", what)
        for entries, at, what in (
            ([{}], "[0].agency", "a preapproval of nobody"),
            ([{"agency": "Saúde"}], "[0].agency", "a preapproved agency by its title"),
            ([{"agency": "a" * 64}], "[0].agency", "a preapproved agency of 64 characters"),
            ([{"agency": "saude"}] * 2, "[1]", "an agency preapproved twice"),
            ([{"agency": "saude", "plans": [""]}], "[0].plans[0]", "a preapproval for a plan without name"),
            ([{"agency": "saude", "plans": ["p" * 51]}], "[0].plans[0]", "a preapproval for a plan of 51 characters"),
            ([{"agency": "saude", "plans": ["p"] * 17}], "[0].plans", "a preapproval for 17 plans"),
            ([{"agency": f"a{n}"} for n in range(1001)], "", "1001 preapproved agencies"),
        )
    ),
    *(
        (API, {"spec.plans": plans}, f"spec.plans{at}", what)
        for plans, at, what in (
            ([{}], "[0].name", "a plan without name"),
            ([{"name": ""}], "[0].name", "a plan with an empty name"),
            ([{"name": " "}], "[0].name", "a plan with a blank name"),
            ([{"name": "básico "}], "[0].name", "a plan's name with a space at its end"),
            ([{"name": "bá\nsico"}], "[0].name", "a plan's name of two lines"),
            ([{"name": "p" * 51}], "[0].name", "a plan's name of 51 characters"),
            ([PLAN, PLAN], "[1]", "two plans of one name"),
            ([{"name": "p", "active": "no"}], "[0].active", "a plan that is active in words"),
            ([{"name": f"p{n}"} for n in range(17)], "", "seventeen plans"),
            ([{"name": "p", "callsPerSecond": 0}], "[0].callsPerSecond", "a plan of no calls at all"),
            ([{"name": "p", "callsPerSecond": 100001}], "[0].callsPerSecond", "a plan of more than the highest rate"),
            ([{"name": "p", "callsPerSecond": "10"}], "[0].callsPerSecond", "a plan's rate as text"),
            ([{"name": "p", "callsPerSecond": 0.5}], "[0].callsPerSecond", "half a call per second"),
        )
    ),
    *(
        (API, {"spec.capacity": capacity}, f"spec.capacity{at}", what)
        for capacity, at, what in (
            ({"callsPerSecond": 0}, ".callsPerSecond", "a capacity of no calls at all"),
            ({"callsPerSecond": 100001}, ".callsPerSecond", "a capacity beyond the highest"),
            ({"callsPerSecond": "200"}, ".callsPerSecond", "a capacity as text"),
            ({"onQuotaFailure": "open"}, ".onQuotaFailure", "another word for what a quota failure means"),
            ({"onQuotaFailure": ""}, ".onQuotaFailure", "no word for what a quota failure means"),
        )
    ),
    (API, {"spec.request": {"userCpf": "Always"}}, "spec.request.userCpf", "a CPF by another word"),
    *(
        (API, {"spec.request": {"requiredHeaders": headers}}, f"spec.request.requiredHeaders{at}", what)
        for headers, at, what in (
            ([{}], "[0].name", "a header without name"),
            ([HEADER, HEADER], "[1]", "a header demanded twice"),
            ([{"name": f"x-{n}"} for n in range(6)], "", "six headers"),
            *(
                ([{**HEADER, "name": name}], "[0].name", f"the header {name}")
                for name in ("X-Orgao", "x_orgao", "x-", "x orgao", "x" * 51)
            ),
            *(
                ([{**HEADER, "name": name}], "[0].name", f"the reserved header {name}")
                for name in (
                    "authorization",
                    "host",
                    "x-cpf-usuario",
                    "x-conecta-grant",
                    "x-request-id",
                    "te",
                    "cookie",
                )
            ),
            ([{**HEADER, "pattern": ""}], "[0].pattern", "an empty pattern"),
            ([{**HEADER, "pattern": "a" * 101}], "[0].pattern", "a pattern of 101 characters"),
            ([{**HEADER, "pattern": "ç"}], "[0].pattern", "a pattern beyond ASCII"),
            ([{**HEADER, "pattern": "a\nb"}], "[0].pattern", "a pattern of two lines"),
            *(
                ([{**HEADER, "pattern": pattern}], "[0].pattern", f"the pattern {pattern}")
                for pattern in ("(", "[a", "a**", "*", "(?=a)", r"(a)\1", "a{2,1}")
            ),
            *(
                ([{**HEADER, "pattern": pattern}], "[0].pattern", f"the costly pattern {pattern}")
                for pattern in ("a{100}", "a{1,1000}", "a{100,}", "(a{9}){9}", r"\pL+", r"\PN", r"\Qa\E")
            ),
        )
    ),
    *(
        (API, {"spec.sourceRanges": ranges}, f"spec.sourceRanges{at}", f"an API's {what}")
        for ranges, at, what in (
            (["203.0.113.0"], "[0]", "address in place of a range"),
            (["203.0.113.7/24"], "[0]", "range that starts in its middle"),
            (["receita.example/24"], "[0]", "range of a host"),
            ([f"203.0.113.{n}/32" for n in range(65)], "", "65 ranges"),
        )
    ),
    *(
        (API, {"spec.lifecycle": lifecycle}, f"spec.lifecycle.{at}", what)
        for lifecycle, at, what in (
            ({"stage": "Ended"}, "stage", "another stage"),
            ({"sunset": "2027-07-01"}, "sunset", "an end without time"),
            ({"sunset": "2027-07-01T00:00:00"}, "sunset", "an end without zone"),
            ({"deprecatedAt": "soon"}, "deprecatedAt", "a beginning of the end in words"),
            (
                {"deprecatedAt": "2027-07-01T00:00:00Z", "sunset": "2027-07-01T00:00:00Z"},
                "sunset",
                "an end as soon as it begins",
            ),
            ({"link": "http://docs.receita.example"}, "link", "a page by http"),
            ({"link": 'https://h/">; rel="x'}, "link", "a page that says more than a page"),
            ({"successor": "https://h/a b"}, "successor", "a successor with a space"),
            ({"successor": "https://h/<b>"}, "successor", "a successor in angle brackets"),
            ({"successor": "https://h/" + "x" * 991}, "successor", "a successor 1001 characters away"),
        )
    ),
    (API, {"spec.dataClassification": "Secret"}, "spec.dataClassification", "another classification"),
]
