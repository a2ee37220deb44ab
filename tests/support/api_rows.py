"""Manifests of ConectaApi that follow the rules: see `custom_resource_rows`."""

from conecta_operator.api.objects import Manifest
from tests.support.changes import CONTACT

__all__ = ["ACCEPTED", "API", "FIXED", "FREE"]

API: Manifest = {
    "apiVersion": "conecta.gov.br/v1alpha1",
    "kind": "ConectaApi",
    "metadata": {"name": "cep"},
    "spec": {
        "title": "Consulta CEP",
        "contacts": [{"name": "Dados Cadastrais", "email": "dados@receita.example"}],
        "version": "v1",
        "backend": {"url": "https://servicos.receita.example/cep"},
    },
}
SERVICE = {"name": "cep", "port": 8080}
TLS = {"caCertificateRef": {"name": "kube-root-ca.crt"}}
CREDENTIAL = {"secretRef": {"name": "sistema-legado"}}
PLAN = {"name": "básico"}
HEADER = {"name": "x-orgao", "pattern": "[0-9]{5}"}
"""One that an API may demand."""
URL = {"url": "https://novo.receita.example"}
ROUTE = {"pathPrefix": "/consulta", "backend": URL}
IDLE = {"pathPrefix": "/consulta", "backend": {**URL, "weight": 0}}

ACCEPTED = [
    (API, {}, "an API with what is required and no more"),
    (API, {"metadata.name": "a" * 50}, "an API's name of 50 characters"),
    (API, {"spec.title": "\u00a0"}, "a title of white space beyond ASCII"),
    (API, {"spec.title": "ç" * 100}, "a title of 100 characters that are more bytes"),
    (API, {"spec.contacts.0.email": "a\u00a0b@receita.example"}, "an address with white space beyond ASCII"),
    (API, {"spec.description": "D" * 4000}, "a description of 4000 characters"),
    (API, {"spec.contacts": [CONTACT] * 10}, "ten contacts"),
    (API, {"spec.contacts.0.phone": "+55 61 3412-0000 ramal 12"}, "a telephone number as people write it"),
    (API, {"spec.contacts.0.email": "dados.cadastrais+api@rfb.gov.br"}, "an address with dots and a tag"),
    (API, {"spec.documentation": {"url": "https://docs.receita.example/cep?lang=pt#uso"}}, "any https page as docs"),
    (API, {"spec.version": "v12"}, "a version of two digits"),
    (API, {"spec.basePath": "/api-cnpj-basica/v2"}, "a base path of one's own"),
    (API, {"spec.backend": {"service": SERVICE}}, "a service as backend"),
    (API, {"spec.backend": {"service": {"name": "cep", "port": 65535}}}, "the last port"),
    (API, {"spec.backend.url": "https://servicos.receita.example:8443"}, "a URL with a port and without path"),
    (API, {"spec.backend.url": "https://servicos.receita.example/dados/@v1/a%20b"}, "an @ and an escape in the path"),
    (API, {"spec.backend.tls": TLS}, "a CA for a URL"),
    (API, {"spec.backend.tls": {"hostname": "servicos.receita.example"}}, "a name that a certificate must have"),
    (API, {"spec.backend.tls": {"clientCertificateRef": {"name": "cliente"}}}, "a certificate to show"),
    (API, {"spec.backend.connections": {"max": 1}}, "one connection"),
    (API, {"spec.backend.connections": {"max": 10_000, "maxWaiting": 1}}, "many connections, and one call that waits"),
    (API, {"spec.backend.headersFromSecret": []}, "no header from a Secret"),
    (API, {"spec.backend.headersFromSecret": [CREDENTIAL]}, "a header by its default name"),
    (API, {"spec.backend.headersFromSecret": [{**CREDENTIAL, "name": "X-Api-Key"}]}, "a header by a name of its own"),
    (
        API,
        {"spec.backend": {"service": SERVICE, "headersFromSecret": [CREDENTIAL], "connections": {"max": 9}}},
        "a header and a limit for a service",
    ),
    *((API, {"spec.backend.weight": weight}, f"a weight of {weight}") for weight in (1, 1_000_000)),
    *((API, {"spec.backend.timeout": text}, f"a timeout of {text}") for text in ("1s", "120s", "2m")),
    (API, {"spec.routes": []}, "no further backend"),
    (API, {"spec.routes": [ROUTE] * 8}, "eight further backends that share calls"),
    (API, {"spec.routes": [{"pathPrefix": "/c", "backend": {"service": SERVICE}}]}, "a route to a service"),
    (API, {"spec.routes": [ROUTE, IDLE]}, "a backend that has no calls yet"),
    (API, {"spec.backend.weight": 0, "spec.routes": [{"pathPrefix": "/", "backend": URL}]}, "calls all moved away"),
    *(
        (API, {"spec.routes": [{"pathPrefix": prefix, "backend": URL}]}, f"the path prefix {what}")
        for prefix, what in (
            ("/", "of all paths"),
            ("/Consulta/CEP/v1.0/...", "with capitals and dots"),
            ("/a_b~c/@(x)'!*,=:+$&", "with what else a path may have"),
            ("/" + "p" * 199, "of 200 characters"),
        )
    ),
    (API, {"spec.access": {"approval": "Automatic"}}, "automatic approval"),
    (API, {"spec.access": {"approval": "Manual"}}, "manual approval"),
    (API, {"spec.access": {"preapproved": [{"agency": "saude"}]}}, "an agency that is admitted to every plan"),
    (API, {"spec.access": {"preapproved": [{"agency": "saude", "plans": ["básico"]}]}}, "one admitted to some plans"),
    (API, {"spec.access": {"preapproved": [{"agency": f"a{n}"} for n in range(1000)]}}, "a thousand agencies admitted"),
    (API, {"spec.plans": []}, "no plans, as is the default"),
    (API, {"spec.plans": [PLAN, {"name": "1 milhão/ano", "active": False}]}, "plans with names that people read"),
    (API, {"spec.plans": [{"name": "ç" * 50}]}, "a plan's name of 50 characters that are more bytes"),
    (API, {"spec.plans": [{"name": f"p{n}", "callsPerSecond": 1} for n in range(16)]}, "sixteen plans with rates"),
    (API, {"spec.plans": [{"name": "p", "callsPerSecond": 100000}]}, "a plan of the highest rate"),
    (API, {"spec.capacity": {}}, "a capacity without limit"),
    (API, {"spec.capacity": {"callsPerSecond": 1}}, "the lowest capacity"),
    (API, {"spec.capacity": {"callsPerSecond": 100000, "onQuotaFailure": "Closed"}}, "a capacity not to be risked"),
    (API, {"spec.capacity": {"onQuotaFailure": "Open"}}, "a capacity that may be risked"),
    *((API, {"spec.request": {"userCpf": word}}, f"a CPF that is {word}") for word in ("Required", "Optional", "None")),
    (API, {"spec.request": {"requiredHeaders": [HEADER]}}, "a header that calls must bear"),
    (API, {"spec.request": {"requiredHeaders": [{"name": "x-orgao"}]}}, "a header with any value"),
    (API, {"spec.request": {"requiredHeaders": [{"name": f"x-{n}"} for n in range(5)]}}, "five headers"),
    *(
        (API, {"spec.request": {"requiredHeaders": [{**HEADER, "pattern": pattern}]}}, f"the pattern {pattern}")
        for pattern in ("(a|b)+", "[^,]{1,99}", r"\d{3}\.\d{2}", "(?i)sim", "a" * 100, "100%", '"{"')
    ),
    (API, {"spec.sourceRanges": ["203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0"]}, "ranges of an API, of either kind"),
    (API, {"spec.sourceRanges": [f"203.0.113.{n}/32" for n in range(64)]}, "64 ranges of an API"),
    (API, {"spec.lifecycle": {}}, "a life cycle that says nothing"),
    *((API, {"spec.lifecycle": {"stage": w}}, f"an API that is {w}") for w in ("Published", "Deprecated", "Retired")),
    (
        API,
        {
            "spec.lifecycle": {
                "stage": "Deprecated",
                "deprecatedAt": "2026-10-01T00:00:00-03:00",
                "sunset": "2027-07-01T00:00:00Z",
                "link": "https://docs.receita.example/fim?x=%20#a",
                "successor": "https://apigateway.conecta.example/api-cep/v2",
            }
        },
        "all that can be said of an end",
    ),
    (API, {"spec.lifecycle": {"link": "https://h/" + "x" * 990}}, "a page 1000 characters away"),
    *(
        (API, {"spec.dataClassification": word}, f"{word} data")
        for word in ("Public", "Restricted", "Personal", "Sensitive")
    ),
]

FIXED = [
    (API, {"spec": {"version": "v2"}}, "spec.version", "an API's version"),
    (API, {"spec": {"basePath": "/api-cep/v2"}}, "spec.basePath", "an API's base path that was the default"),
]

FREE = [
    (API, {"spec": {"title": "CEP"}}, "an API's title"),
    (API, {"spec": {"backend": {"url": None, "service": SERVICE}}}, "an API's backend"),
    (API, {"spec": {"routes": [ROUTE]}}, "the routes"),
    (API, {"spec": {"plans": [PLAN]}}, "the plans"),
    (API, {"spec": {"request": {"userCpf": "Required"}}}, "what a call must bear"),
    (API, {"spec": {"sourceRanges": ["203.0.113.0/24"]}}, "from where it is called"),
    (API, {"spec": {"lifecycle": {"stage": "Retired"}}}, "the stage of its life"),
    (API, {"spec": {"plans": [{**PLAN, "callsPerSecond": 5}], "capacity": {"callsPerSecond": 50}}}, "the rates"),
    (API, {"spec": {"access": {"preapproved": [{"agency": "saude"}]}}}, "who is preapproved"),
    (API, {"spec": {"dataClassification": "Personal"}}, "the classification"),
]
