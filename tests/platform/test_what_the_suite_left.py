"""What all tests together have left behind: a look back, after all others but what destroys the platform.

It is only as good as what ran before it. A run of a part of the suite that selects this file fails here, and says
which files are missing: no gap passes for a success. Whoever runs a part doesn't select this file; `make test` always
runs it.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.application import Application
from tests.support.canaries import CANARIES, Canaries, collect, found_in
from tests.support.changes import but
from tests.support.kubectl import condition, eventually, get, kubectl
from tests.support.rights_used import Right, RightsUsed, granted
from tests.support.tenant_rows import grant

HERE: Final = Path(__file__)
AFTER: Final = {HERE.name, "test_destroying.py"}
ASKED_FOR_BY_OTHERS: Final = {
    # Never a request of its own: the admission policy conecta-finalizers asks whether the operator has it when it takes
    # its finalizer off, and so does, where it is on, the plugin OwnerReferencesPermissionEnforcement for what it owns.
    Right("conecta.gov.br", "conectaapis/finalizers", "update"),
    Right("conecta.gov.br", "conectagrants/finalizers", "update"),
}


@pytest.fixture(scope="module")
def looked_back(platform: Layout, rights_used: RightsUsed) -> RightsUsed:  # noqa: ARG001 - it has to be up
    rights_used.gather()
    return rights_used


@pytest.fixture(scope="module")
def missing(request: pytest.FixtureRequest) -> list[str]:
    """Files of platform tests of which nothing was selected in this run."""
    ran = {item.path.name for item in request.session.items}
    return sorted(file.name for file in HERE.parent.glob("test_*.py") if file.name not in ran | AFTER)


def test_the_log_was_read_without_a_gap(looked_back: RightsUsed) -> None:
    assert looked_back.gaps == 0
    assert looked_back.used.total() > 0


def test_the_operator_was_never_refused_anything(looked_back: RightsUsed, missing: list[str]) -> None:
    assert looked_back.refused == []
    assert missing == [], "nothing was refused in what was run, but these were not: run `make test`"


def test_the_operator_has_no_right_that_it_does_not_use(looked_back: RightsUsed, missing: list[str]) -> None:
    rights = granted(*(get("clusterrole", "", name) for name in ("conecta-operator", "conecta-operator-secrets")))
    unused = rights - looked_back.used.keys() - ASKED_FOR_BY_OTHERS
    told = ", ".join(map(str, sorted(unused)))
    assert not unused, f"granted, and not used by any test: {told}; not run: {', '.join(missing) or 'nothing'}"


# Secrets and CPFs

CEP: Final = "/api-cep/v1/consulta/cep/70040020"
CPF_LIGHT: Final = "/api-cpf-light/v2/consulta/cpf"


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """Each form of each kind, and nothing else: no part of a longer number, and no other number."""
    canaries = Canaries()
    secret, cpf = canaries.secret(), canaries.cpf()
    encoded = base64.b64encode(secret.encode()).decode()
    punctuated = f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}"
    place = tmp_path / "place"
    place.mkdir()
    (place / "log").write_text(f"a\nx={secret}&\n{encoded}\n{{cpf:{cpf}}} {punctuated}\n")
    (place / "other").write_text(f"1{cpf} {cpf}0 {secret[:-1]} 11144477735\n")
    (place / "first").write_bytes(cpf.encode() + b"\0")
    hits = found_in([place], canaries.needles(), tmp_path)
    assert hits == sorted(
        [f"{place / 'log'}: {each}" for each in (secret, encoded, cpf, punctuated)] + [f"{place / 'first'}: {cpf}"]
    )


def plant_cpfs(cep: Application, cpf_light: Application) -> None:
    """In whatever part of calls, of those that are answered and of those that are refused."""
    new = CANARIES.cpf
    token, other = cep.token(), cpf_light.token()
    for _ in range(60):
        cep.call("GET", CEP, token=token, headers={"x-cpf-usuario": new()})
        cep.call("GET", f"/api-cep/v1/contas/{new()}?cpf={new()}", token=token, headers={"x-cpf-usuario": new()})
        cep.call("GET", CEP, token=token, headers={"user-agent": new(), "cookie": f"cpf={new()}", "x-cpf": new()})
        cep.call("GET", CEP, token=other, headers={"x-cpf-usuario": new()})
        cep.call("GET", CEP, token="none", headers={"x-cpf-usuario": new()})
        cep.call("GET", f"/{new()}", token=token)
        cep.call("POST", CEP, token=token, json_body={"cpf": new()})
    for _ in range(20):
        answer = cpf_light.call("POST", CPF_LIGHT, token=other, json_body={"listaCpf": [new() for _ in range(50)]})
        assert answer.status == 200


def plant_secrets(cep: Application) -> None:
    """Wrong secrets of clients and false tokens, which the platform must look at in order to refuse them."""
    new = CANARIES.secret
    form = {"grant_type": "client_credentials"}
    for _ in range(100):
        wrong = replace(cep.key, secret=new())
        assert cep.gateway.token_answer(form, {"authorization": wrong.basic}).status == 401
        in_form = form | {"client_id": cep.key.client_id, "client_secret": new()}
        assert cep.gateway.token_answer(in_form).status == 401
        assert cep.call("GET", f"{CEP}?access_token={new()}", token=new()).status == 401
    for _ in range(50):
        head, payload, _ = cep.token().split(".")
        assert cep.call("GET", CEP, token=new(f"{head}.{payload}.{new()}")).status == 401


@contextmanager
def planted_objects() -> Iterator[None]:
    """Secrets of people's own, some where the operator would put a key and so has to look at them."""
    metadata = {"namespace": "saude", "labels": {"canary": "yes"}}
    made: list[Manifest] = []
    for number in range(200):
        name = f"canary-{number}"
        kind = {"type": "servicebinding.io/oauth2"} if number % 2 else {}
        data = {"client-secret": CANARIES.secret(), "password": CANARIES.secret()}
        base = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata | {"name": f"{name}-conecta"}}
        made.append({**base, **kind, "stringData": data})
        if number < 10:
            made.append(but(grant("saude", name), {"metadata.labels": {"canary": "yes"}}))
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))

    def all_refused() -> bool:
        grants = kubectl("get", "conectagrants", "-n", "saude", "-l", "canary", "-o", "json").stdout
        reasons = [condition(each, "CredentialsReady").get("reason") for each in json.loads(grants)["items"]]
        return reasons == ["Conflicted"] * 10

    eventually(all_refused, 30)
    yield
    kubectl("delete", "conectagrants,secrets", "-n", "saude", "-l", "canary", "--timeout=80s")


def test_no_secret_and_no_cpf_is_anywhere_that_it_should_not_be(
    platform: Layout, cep: Application, cpf_light: Application, tmp_path: Path
) -> None:
    """In the logs of all services, in objects with status, annotations and events, in Pulumi's state, in metrics.

    Looked for are those planted here and all that the suite has used before: keys, tokens, numbers.
    """
    plant_cpfs(cep, cpf_light)
    plant_secrets(cep)
    with planted_objects():
        last = cep.call("GET", CEP).headers["x-request-id"]
        eventually(lambda: last in platform.log("envoy").read_text(), 20)
        told = tmp_path / "told"
        told.mkdir()
        places = collect(platform, told)
    assert min(len(CANARIES.secrets), len(CANARIES.cpfs)) >= 1000
    assert found_in(places, CANARIES.needles(), tmp_path) == []
    lines = (line for key in platform.pki.glob("*.key") for line in key.read_text().splitlines())
    private = {line for line in lines if len(line) > 40}
    assert found_in(places, private, tmp_path) == []
