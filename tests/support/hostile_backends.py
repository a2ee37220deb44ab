"""Backends that a provider has no business with, each in as many spellings as we could think of."""

from typing import Any, Final

from conecta_operator.api.objects import Manifest

__all__ = ["HOSTILE", "services_for"]

Fields = dict[str, Any]

_GOOD: Final = "https://servicos.receita.example"
_URLS: Final = (
    ("loopback", "https://127.0.0.1"),
    ("loopback, elsewhere in its range", "https://127.8.9.10:8443"),
    ("loopback by a short address", "https://127.1"),
    ("loopback as one number", "https://2130706433"),
    ("loopback in hexadecimal", "https://0x7f000001"),
    ("loopback in parts of hexadecimal", "https://0x7f.0.0.1"),
    ("loopback that ends in hexadecimal", "https://127.0.0.0x1"),
    ("loopback in octal", "https://0177.0.0.1"),
    ("loopback, IPv6", "https://[::1]"),
    ("loopback, IPv6 in full", "https://[0:0:0:0:0:0:0:1]"),
    ("loopback, IPv4 in IPv6", "https://[::ffff:127.0.0.1]"),
    ("loopback, IPv4 in IPv6 by hexadecimal", "https://[::ffff:7f00:1]"),
    ("loopback by name", "https://localhost:6443"),
    ("loopback by a whole name", "https://localhost."),
    ("loopback by a name in capitals", "https://LOCALHOST"),
    ("any address", "https://0.0.0.0"),
    ("any address, IPv6", "https://[::]"),
    ("metadata service", "https://169.254.169.254/latest/meta-data"),
    ("metadata service as one number", "https://2852039166"),
    ("metadata service, IPv4 in IPv6", "https://[::ffff:a9fe:a9fe]"),
    ("metadata service, IPv6", "https://[fd00:ec2::254]"),
    ("metadata service by name", "https://metadata.google.internal"),
    ("link-local with zone", "https://[fe80::1%25eth0]"),
    ("private address", "https://10.96.0.1"),
    ("private address, IPv6", "https://[fd00::1]"),
    ("multicast DNS", "https://impressora.local"),
    ("another tenant's Service", "https://cep.receita.svc.cluster.local"),
    ("another tenant's Service, shorter", "https://cep.receita.svc"),
    ("another tenant's Service by a search domain", "https://cep.receita"),
    ("another tenant's Service by a search domain, whole", "https://cep.receita."),
    ("another tenant's pod by a search domain", "https://pod-0.cep.receita"),
    ("another tenant's pod by its address", "https://10-0-0-7.receita.pod"),
    ("another tenant's pod by its address, in full", "https://10-0-0-7.receita.pod.cluster.local"),
    ("the API server by a search domain", "https://kubernetes.default"),
    ("the API server", "https://kubernetes.default.svc:443"),
    ("the issuer's admin side", "https://hydra.localhost:4445/admin/clients"),
    ("the issuer's public side", "https://hydra.localhost:4444"),
    ("the issuer's admin side by another name", "https://qualquer.localhost:4445"),
    ("the gateway itself", "https://qualquer.localhost:10443"),
    ("one label", "https://cep"),
    ("user and password", "https://ana:senha@servicos.receita.example"),
    ("a host disguised as a user", "https://servicos.receita.example@127.0.0.1"),
    ("a host disguised as a password", "https://servicos.receita.example:443@127.0.0.1"),
    ("a host behind a backslash", "https://servicos.receita.example\\@127.0.0.1"),
    ("a Cyrillic letter", "https://servicos.rec\u0435ita.example"),
    ("a letter of full width", "https://servicos.receita.ex\uff41mple"),
    ("a full stop of full width", "https://127\uff0e0\uff0e0\uff0e1"),
    ("letters that look like others, in punycode", "https://xn--rceita-cva.example"),
    ("capitals", "https://Servicos.Receita.Example"),
    ("an empty label", "https://servicos..receita.example"),
    ("port 0", "https://servicos.receita.example:0"),
    ("a port beyond the last", "https://servicos.receita.example:65536"),
    ("no TLS", "http://servicos.receita.example"),
    ("a socket", "unix:///var/run/docker.sock"),
    ("a path that climbs", "https://servicos.receita.example/a/../../admin"),
    ("a path that climbs in disguise", "https://servicos.receita.example/a/%2e%2e/admin"),
    ("an encoded slash", "https://servicos.receita.example/a%2fb"),
)
_CERTIFICATE_NAMES: Final = ("kubernetes.default", "kubernetes.default.svc", "localhost", "10.0.0.1")
_LEADING: Final = {
    "metadados": "fd00:ec2::254",
    "metadados-azure": "168.63.129.16",
    "metadados-alibaba": "100.100.100.200",
    "seis-para-quatro": "2002:a9fe:a9fe::",
}
"""Services of the provider's own whose EndpointSlices lead to these addresses."""


def _service(name: str) -> Fields:
    return {"service": {"name": name, "port": 443}}


HOSTILE: Final[tuple[tuple[str, Fields], ...]] = (
    *((words, {"url": url}) for words, url in _URLS),
    *((f"a certificate of {name}", {"url": _GOOD, "tls": {"hostname": name}}) for name in _CERTIFICATE_NAMES),
    (
        "the issuer's admin side by another name, and its certificate's",
        {"url": "https://qualquer.localhost:4445", "tls": {"hostname": "hydra.localhost"}},
    ),
    *((f"a Service that leads to {address}", _service(name)) for name, address in _LEADING.items()),
    ("a Service that is another name for elsewhere", _service("fora")),
    ("a Service with a selector, and an address by hand beside", _service("com-seletor")),
    ("a Service of another namespace by its name", _service("cep.receita")),
    ("a Service of another namespace by a path", _service("../receita/cep")),
)


def _object(namespace: str, kind: str, api_version: str, name: str, **fields: Any) -> Manifest:
    metadata = {"namespace": namespace, "name": name, "labels": fields.pop("labels", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def services_for(namespace: str) -> list[Manifest]:
    """The Services that the rows name, and where they lead."""
    port = {"name": "https", "port": 443}
    leading = {**_LEADING, "com-seletor": "fd20:ce::254"}
    services: dict[str, Fields] = {name: {"ports": [port]} for name in leading}
    services["com-seletor"]["selector"] = {"app": "cep"}
    services["fora"] = {"type": "ExternalName", "externalName": "metadata.google.internal", "ports": [port]}
    return [
        *(_object(namespace, "Service", "v1", name, spec=spec) for name, spec in services.items()),
        *(
            _object(
                namespace,
                "EndpointSlice",
                "discovery.k8s.io/v1",
                f"{name}-a-mao",
                labels={"kubernetes.io/service-name": name},
                addressType="IPv6" if ":" in address else "IPv4",
                ports=[port],
                endpoints=[{"addresses": [address]}],
            )
            for name, address in leading.items()
        ),
    ]
