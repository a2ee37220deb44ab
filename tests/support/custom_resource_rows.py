"""Manifests of ConectaApi and ConectaGrant that follow the rules, and such that break one.

A row is a manifest, what to change in it, for refusals the path of the field at fault, and what it is in words.
"""

import copy
from typing import Any

from conecta_operator.api.objects import Manifest

__all__ = ["ACCEPTED", "API", "FIXED", "FREE", "GRANT", "REFUSED", "but"]

ABSENT = object()


def but(base: Manifest, changes: dict[str, Any]) -> Manifest:
    """A copy of the manifest with other values at these dotted paths."""
    manifest = copy.deepcopy(base)
    for path, value in changes.items():
        *way, last = path.split(".")
        place: Any = manifest
        for step in way:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
    return manifest


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
GRANT: Manifest = {
    "apiVersion": "conecta.gov.br/v1alpha1",
    "kind": "ConectaGrant",
    "metadata": {"name": "agendamento-cep"},
    "spec": {
        "apiRef": {"namespace": "receita", "name": "cep"},
        "application": {"name": "agendamento"},
    },
}
SERVICE = {"name": "cep", "port": 8080}
TLS = {"caCertificateRef": {"name": "kube-root-ca.crt"}}
CONTACT = {"name": "Dados", "email": "dados@receita.example"}

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
    (API, {"spec.access": {"approval": "Automatic"}}, "automatic approval"),
    (API, {"spec.access": {"approval": "Manual"}}, "manual approval"),
    (GRANT, {}, "a grant with what is required and no more"),
    (GRANT, {"metadata.name": "g" * 63}, "a grant's name of 63 characters"),
    (GRANT, {"spec.application.name": "a" * 63}, "an application's name of 63 characters"),
    (GRANT, {"spec.application.description": "Agenda consultas"}, "an application that says what it does"),
    (GRANT, {"spec.application.contact": CONTACT}, "an application with somebody who answers"),
    (GRANT, {"spec.credential": {"secretName": "cep.saude-2"}}, "a Secret's name with dots"),
    *(
        (GRANT, {"spec.credential": {"overlap": text}}, f"an overlap of {text}")
        for text in ("0s", "90m", "72h", "365d")
    ),
    (GRANT, {"spec.credential": {"overlap": "31536000s"}}, "the longest overlap in seconds"),
]

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
        (base, {f"{path}.{field}": value}, f"{at}.{field}", f"a contact of {base['kind']} with {what}")
        for base, path, at in (
            (API, "spec.contacts.0", "spec.contacts[0]"),
            (but(GRANT, {"spec.application.contact": CONTACT}), "spec.application.contact", "spec.application.contact"),
        )
        for field, value, what in (
            ("name", "", "an empty name"),
            ("name", "N" * 101, "a name of 101 characters"),
            ("email", "receita.example", "an address without @"),
            ("email", "a b@receita.example", "an address with a space"),
            ("email", "d" * 239 + "@receita.example", "an address of 255 characters"),
            ("phone", "", "an empty telephone number"),
            ("phone", "6" * 41, "a telephone number of 41 characters"),
        )
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
    (API, {"spec.backend.tls": {}}, "spec.backend.tls.caCertificateRef", "tls that says nothing"),
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
    (API, {"spec.access": {"approval": "automatic"}}, "spec.access.approval", "another word for who approves"),
    (GRANT, {"metadata.name": "g" * 64}, "metadata.name", "a grant's name of 64 characters"),
    (GRANT, {"spec.apiRef": ABSENT}, "spec.apiRef", "a grant on nothing"),
    (GRANT, {"spec.apiRef.namespace": ABSENT}, "spec.apiRef.namespace", "an API of no namespace"),
    (GRANT, {"spec.apiRef.name": ABSENT}, "spec.apiRef.name", "an API without name"),
    (GRANT, {"spec.apiRef.name": "CEP"}, "spec.apiRef.name", "an API's name in capitals"),
    (GRANT, {"spec.apiRef.namespace": "a.b"}, "spec.apiRef.namespace", "a namespace with a dot"),
    (GRANT, {"spec.apiRef.name": "a" * 64}, "spec.apiRef.name", "an API's name of 64 characters"),
    (GRANT, {"spec.apiRef.namespace": "n" * 64}, "spec.apiRef.namespace", "a namespace of 64 characters"),
    (GRANT, {"spec.application": ABSENT}, "spec.application", "a grant for no application"),
    (GRANT, {"spec.application.name": ABSENT}, "spec.application.name", "an application without name"),
    (GRANT, {"spec.application.name": "Agenda Saúde"}, "spec.application.name", "an application's name as a title"),
    (GRANT, {"spec.application.name": "a" * 64}, "spec.application.name", "an application's name of 64 characters"),
    (GRANT, {"spec.application.description": "d" * 1001}, "spec.application.description", "a long description"),
    (
        GRANT,
        {"spec.application.contact": {"name": "A"}},
        "spec.application.contact.email",
        "an application's contact without address",
    ),
    (GRANT, {"spec.credential.secretName": "Chave"}, "spec.credential.secretName", "a Secret's name in capitals"),
    (GRANT, {"spec.credential.secretName": "-chave"}, "spec.credential.secretName", "a Secret's name with a bad start"),
    (GRANT, {"spec.credential.secretName": ""}, "spec.credential.secretName", "an empty name of a Secret"),
    (
        GRANT,
        {"spec.credential.secretName": "s" * 254},
        "spec.credential.secretName",
        "a Secret's name of 254 characters",
    ),
    *(
        (GRANT, {"spec.credential.overlap": text}, "spec.credential.overlap", f"an overlap of {text!r}")
        for text in (
            "",
            "72",
            "h",
            "1.5h",
            "-1h",
            "1h30m",
            "2w",
            "72 h",
            "366d",
            "8761h",
            "31536001s",
            "999999999s",
            72,
        )
    ),
]

FIXED = [
    (API, {"spec": {"version": "v2"}}, "spec.version", "an API's version"),
    (API, {"spec": {"basePath": "/api-cep/v2"}}, "spec.basePath", "an API's base path that was the default"),
    (GRANT, {"spec": {"apiRef": {"name": "cnpj"}}}, "spec.apiRef", "the API of a grant"),
    (GRANT, {"spec": {"apiRef": {"namespace": "saude"}}}, "spec.apiRef", "the provider of a grant"),
    (GRANT, {"spec": {"application": {"name": "fila"}}}, "spec.application.name", "the application of a grant"),
]

FREE = [
    (API, {"spec": {"title": "CEP"}}, "an API's title"),
    (API, {"spec": {"backend": {"url": None, "service": SERVICE}}}, "an API's backend"),
    (GRANT, {"spec": {"application": {"description": "Agenda"}}}, "an application's description"),
    (GRANT, {"spec": {"credential": {"secretName": "outra"}}}, "the name of the Secret"),
    (GRANT, {"spec": {"credential": {"overlap": "7d"}}}, "the overlap"),
]
