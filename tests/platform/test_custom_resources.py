"""What the API server accepts and refuses of ConectaApi and ConectaGrant: each rule from both sides."""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client, config

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import Manifest
from tests.support.changes import ABSENT
from tests.support.custom_resource_rows import ACCEPTED, API, FIXED, FREE, GRANT, REFUSED, but
from tests.support.grant_rows import DECISION, WRONG_DECISIONS


@dataclass(frozen=True)
class Answer:
    """What the API server says: the object, or the fields at fault and why."""

    status: int
    body: Manifest

    @property
    def fields(self) -> set[str]:
        """Paths of the fields at fault (`<nil>` only says that some rules wait for these to be mended)."""
        return {cause["field"] for cause in self.body.get("details", {}).get("causes", ())} - {"<nil>"}

    @property
    def message(self) -> str:
        """What is wrong, for people."""
        return str(self.body.get("message", ""))


class Server:
    """The API server, and a namespace of this module."""

    def __init__(self, api_client: client.ApiClient, namespace: str) -> None:
        self._client = api_client
        self.namespace = namespace

    def call(self, method: str, path: str, body: Manifest | None = None, **headers: str) -> Answer:
        """Any request, with JSON in and out."""
        request = self._client.param_serialize(
            method,
            path,
            header_params={"Accept": "application/json", "Content-Type": "application/json"} | headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request)
        return Answer(response.status, json.loads(response.read()))

    @property
    def user(self) -> str:
        """Whom the API server takes us for."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = self.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        return str(answer.body["status"]["userInfo"]["username"])

    def create(self, manifest: Manifest, *, for_good: bool = False) -> Answer:
        """Try to create the object, or create it for good."""
        query = "fieldValidation=Strict" if for_good else "dryRun=All&fieldValidation=Strict"
        return self.call("POST", f"{self._path(manifest)}?{query}", manifest)

    def change(self, manifest: Manifest, patch: Manifest, *, name: str = "existing", subresource: str = "") -> Answer:
        """Try to change an existing object of the manifest's kind by a merge patch."""
        return self.call(
            "PATCH",
            f"{self._path(manifest)}/{name}{subresource}?dryRun=All&fieldValidation=Strict",
            patch,
            **{"Content-Type": "application/merge-patch+json"},
        )

    def _path(self, manifest: Manifest) -> str:
        plural = manifest["kind"].lower() + "s"
        return f"/apis/conecta.gov.br/v1alpha1/namespaces/{self.namespace}/{plural}"


@pytest.fixture(scope="module")
def server(platform: object) -> Iterator[Server]:  # noqa: ARG001 - it has to be up
    """The platform's API server, as its administrator."""
    kubeconfig = os.environ.get("KUBECONFIG", ".sandbox/kubeconfig")
    namespace = f"custom-resources-{secrets.token_hex(4)}"
    with config.new_client_from_config(config_file=kubeconfig) as api_client:
        server = Server(api_client, namespace)
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        assert server.call("POST", "/api/v1/namespaces", manifest).status == 201
        yield server
        server.call("DELETE", f"/api/v1/namespaces/{namespace}")


@pytest.fixture(scope="module")
def existing(server: Server) -> None:
    """One object of each kind, an API with a base path of its own, and a grant whose key was replaced on demand."""
    for base, changes in (
        (API, {"metadata.name": "existing"}),
        (GRANT, {"metadata.name": "existing"}),
        (API, {"metadata.name": "own-path", "spec.basePath": "/api-own/v7"}),
        (GRANT, {"metadata.name": "rotated", "spec.credential": {"serial": 3, "overlap": "1h"}}),
    ):
        assert server.create(but(base, changes), for_good=True).status == 201


@pytest.mark.parametrize(("base", "changes"), [pytest.param(*row[:-1], id=row[-1]) for row in ACCEPTED])
def test_the_api_server_accepts_and_the_operator_can_read(
    server: Server, base: Manifest, changes: dict[str, Any]
) -> None:
    answer = server.create(but(base, changes))
    assert answer.status == 201, answer.message
    stored = but(answer.body, {"metadata.resourceVersion": "1"})
    model = ConectaApi if base is API else ConectaGrant
    assert model.parse(stored).metadata.name == stored["metadata"]["name"]


@pytest.mark.parametrize(("base", "changes", "field"), [pytest.param(*row[:-1], id=row[-1]) for row in REFUSED])
def test_the_api_server_refuses_with_the_path_of_the_field(
    server: Server,
    base: Manifest,
    changes: dict[str, Any],
    field: str,
) -> None:
    answer = server.create(but(base, changes))
    assert answer.status == 422, answer.body
    assert answer.fields == {field}
    assert field in answer.message


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize(("base", "patch", "field"), [pytest.param(*row[:-1], id=row[-1]) for row in FIXED])
def test_what_others_rely_on_cannot_be_changed(server: Server, base: Manifest, patch: Manifest, field: str) -> None:
    answer = server.change(base, patch)
    assert (answer.status, answer.fields) == (422, {field})
    assert "immutable" in answer.message


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("path", [None, "/api-own/v8"], ids=["removed", "changed"])
def test_a_base_path_of_ones_own_cannot_be_changed_or_removed(server: Server, path: str | None) -> None:
    answer = server.change(API, {"spec": {"basePath": path}}, name="own-path")
    assert (answer.status, answer.fields) == (422, {"spec.basePath"})
    assert "immutable" in answer.message


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("credential", [{"serial": 2}, {"serial": None}, None], ids=["lower", "removed", "all removed"])
def test_a_serial_does_not_become_smaller(server: Server, credential: Manifest | None) -> None:
    answer = server.change(GRANT, {"spec": {"credential": credential}}, name="rotated")
    assert (answer.status, answer.fields) == (422, {"spec.credential.serial"})
    assert "smaller" in answer.message


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize(("base", "patch"), [pytest.param(*row[:-1], id=row[-1]) for row in FREE])
def test_everything_else_can_be_changed(server: Server, base: Manifest, patch: Manifest) -> None:
    answer = server.change(base, patch)
    assert answer.status == 200, answer.message


@pytest.mark.parametrize(
    ("base", "path"),
    [(API, "spec.rates"), (API, "spec.backend.retries"), (GRANT, "spec.term")],
    ids=["rates", "retries", "term"],
)
def test_a_field_that_does_nothing_is_refused_by_name(server: Server, base: Manifest, path: str) -> None:
    """As kubectl asks for by default (fieldValidation=Strict)."""
    answer = server.create(but(base, {path: "x"}))
    assert answer.status == 400
    assert f'unknown field "{path}"' in answer.message


def test_several_mistakes_are_all_named_at_once(server: Server) -> None:
    answer = server.create(but(API, {"spec.title": "", "spec.contacts.0.email": "x", "spec.version": "1"}))
    assert answer.fields == {"spec.title", "spec.contacts[0].email", "spec.version"}


def test_what_is_left_out_is_filled_in_where_it_can_be_read(server: Server) -> None:
    api = server.create(but(API, {"spec.plans": [{"name": "básico"}]})).body["spec"]
    assert api == API["spec"] | {
        "access": {"approval": "Manual"},
        "backend": {**API["spec"]["backend"], "weight": 1, "timeout": "15s"},
        "capacity": {"onQuotaFailure": "Open"},
        "dataClassification": "Public",
        "lifecycle": {"stage": "Published"},
        "plans": [{"name": "básico", "active": True}],
        "request": {"userCpf": "None"},
    }
    assert server.create(GRANT).body["spec"] == GRANT["spec"] | {
        "credential": {"overlap": "72h", "rotateEvery": "180d", "serial": 0},
        "suspended": False,
    }


@pytest.mark.usefixtures("existing")
def test_status_is_not_written_with_the_object(server: Server) -> None:
    status = {"status": {"url": "https://elsewhere.example"}}
    assert server.change(API, status).body.get("status", {}).get("url") != "https://elsewhere.example"
    assert server.change(API, status, subresource="/status").body["status"]["url"] == "https://elsewhere.example"


@pytest.mark.usefixtures("existing")
def test_a_condition_is_stated_once_and_wholly(server: Server) -> None:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T12:00:00Z",
    }
    for conditions, field in (
        ([condition, condition], "status.conditions[1]"),
        ([condition | {"status": "Yes"}], "status.conditions[0].status"),
        ([{key: condition[key] for key in condition if key != "reason"}], "status.conditions[0].reason"),
    ):
        answer = server.change(API, {"status": {"conditions": conditions}}, subresource="/status")
        assert (answer.status, answer.fields) == (422, {field})
    assert server.change(API, {"status": {"conditions": [condition]}}, subresource="/status").status == 200


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="approved"),
        pytest.param({"decision": "Denied", "terms": ABSENT, "message": "ç" * 1000}, id="denied, and why"),
        pytest.param({"decision": "Revoked", "at": "2026-11-24T09:00:00.123456-03:00"}, id="revoked, with its terms"),
    ],
)
def test_a_decision_can_be_written_and_read(server: Server, changes: dict[str, Any]) -> None:
    decision = but(DECISION, {"by": server.user} | changes)
    answer = server.change(GRANT, {"status": {"approval": decision}}, subresource="/status")
    assert answer.status == 200, answer.message
    assert answer.body["status"]["approval"] == decision
    approval = ConectaGrant.parse(answer.body).status.approval
    assert approval is not None
    assert approval.by == server.user


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize(("changes", "field"), [pytest.param(*row[:-1], id=row[-1]) for row in WRONG_DECISIONS])
def test_a_wrong_decision_is_refused_with_the_path_of_the_field(
    server: Server, changes: dict[str, Any], field: str
) -> None:
    decision = but(DECISION, {"by": server.user} | changes)
    answer = server.change(GRANT, {"status": {"approval": decision}}, subresource="/status")
    assert (answer.status, answer.fields) == (422, {f"status.approval{field}"})


def test_kubectl_finds_both_kinds_by_category_and_short_names(server: Server) -> None:
    found = {entry["name"]: entry for entry in server.call("GET", "/apis/conecta.gov.br/v1alpha1").body["resources"]}
    assert {name: found[name]["shortNames"] for name in ("conectaapis", "conectagrants")} == {
        "conectaapis": ["cnapi"],
        "conectagrants": ["cngrant"],
    }
    assert all(found[name]["categories"] == ["conecta"] for name in ("conectaapis", "conectagrants"))


@pytest.mark.parametrize(
    ("plural", "columns"),
    [
        ("conectaapis", ["Name", "Ready", "Reason", "URL", "Approval", "Age"]),
        ("conectagrants", ["Name", "Ready", "Reason", "Provider", "API", "Application", "Secret", "Age"]),
    ],
)
def test_kubectl_get_shows_what_one_wants_to_know(server: Server, plural: str, columns: list[str]) -> None:
    table = server.call(
        "GET",
        f"/apis/conecta.gov.br/v1alpha1/{plural}",
        Accept="application/json;as=Table;v=v1;g=meta.k8s.io",
    ).body
    assert [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0] == columns


@pytest.mark.parametrize("kind", ["ConectaApi", "ConectaGrant"])
def test_every_field_is_explained(server: Server, kind: str) -> None:
    document = server.call("GET", "/openapi/v3/apis/conecta.gov.br/v1alpha1").body
    schema = document["components"]["schemas"][f"br.gov.conecta.v1alpha1.{kind}"]
    assert list(unexplained(schema["properties"]["spec"], "spec")) == []
    assert list(unexplained(schema["properties"]["status"], "status")) == []


def unexplained(schema: Manifest, path: str) -> Iterator[str]:
    """Paths of the fields without description."""
    if not schema.get("description"):
        yield path
    for name, field in schema.get("properties", {}).items():
        yield from unexplained(field, f"{path}.{name}")
    if "items" in schema:
        yield from unexplained(schema["items"], f"{path}[]")
