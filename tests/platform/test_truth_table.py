"""A landscape of agencies on the real API server: what its policies allow is what its APIs and grants mean.

Nothing runs behind it: the pods are models, and every ordered pair of them is asked about, by every port. Two
evaluators that know nothing of each other must find exactly what is intended: ours, and cyclonus.
"""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from conecta_operator.api.objects import Manifest
from infra.network import baseline
from infra.settings import StackSettings, from_mapping
from sandbox.layout import Layout
from tests.infra.recorder import ROOT, settings_of
from tests.support.audit import AuditLog
from tests.support.cyclonus import by_cyclonus
from tests.support.kubectl import apply, eventually, kubectl
from tests.support.network_intent import Shape
from tests.support.network_landscape import (
    Landscape,
    generated,
    later,
    manifest_of_api,
    manifest_of_grant,
    manifest_of_policy,
    manifest_of_service,
    platform_policies,
)
from tests.support.truth_table import Table, by_intent, by_policies, cells, difference

SEED: Final = 20261124
_AT_REST: Final = 5.0
"""Seconds without a write after which the cluster has converged."""
_CONVERGED: Final = 600


@pytest.fixture(scope="module")
def log(platform: Layout) -> AuditLog:
    return AuditLog(platform)


@pytest.fixture(scope="module")
def landscape(log: AuditLog) -> Iterator[Landscape]:
    """Applied, with the platform's own policies as tight as can be, and settled; gone afterwards."""
    made = generated(SEED)
    try:
        apply(*map(_namespace, made.agencies))
        apply(*map(manifest_of_policy, platform_policies(made.agencies)))
        apply(*_written(made))
        _settle(log)
        yield made
    finally:
        kubectl("delete", "namespace", *made.agencies, "--wait=false", "--ignore-not-found")
        _restore_baseline()
        eventually(lambda: not set(made.agencies) & set(_names("namespaces")), _CONVERGED)


@pytest.fixture(scope="module")
def changed(landscape: Landscape, log: AuditLog) -> Landscape:
    """The same after much has changed."""
    after = later(landscape, SEED + 1)
    gone_grants = _places(landscape.grants) - _places(after.grants)
    gone_apis = _places(landscape.apis) - _places(after.apis)
    assert gone_grants
    assert gone_apis
    for namespace, name in sorted(gone_apis):
        kubectl("annotate", "conectaapi", name, "-n", namespace, "conecta.gov.br/withdraw-grants=true")
        kubectl("delete", "conectaapi", name, "-n", namespace, "--wait=false")
    for namespace, name in sorted(gone_grants):
        kubectl("delete", "conectagrant", name, "-n", namespace, "--wait=false")
    services = {(api.namespace, api.name) for api in after.apis if manifest_of_service(api) is None}
    for namespace, name in sorted(services):
        kubectl("delete", "service", name, "-n", namespace, "--ignore-not-found")
    apply(*_written(after))
    _settle(log)
    return after


@pytest.mark.usefixtures("platform")
def test_the_landscape_is_as_large_as_is_asked_for(landscape: Landscape) -> None:
    assert (len(landscape.agencies), len(landscape.apis), len(landscape.grants)) == (20, 60, 150)
    assert {api.shape for api in landscape.apis} == set(Shape)
    strangers = {member.pod.namespace for member in landscape.members if member.app == "alheio"}
    assert strangers == set(landscape.agencies)
    assert {":" in member.pod.ip for member in landscape.members} == {True, False}


@pytest.mark.usefixtures("platform")
def test_the_policies_of_the_api_server_allow_what_is_intended_and_nothing_else(
    landscape: Landscape, tmp_path: Path
) -> None:
    _compare(landscape, tmp_path)


@pytest.mark.usefixtures("platform")
def test_so_they_do_after_much_has_changed(changed: Landscape, landscape: Landscape, tmp_path: Path) -> None:
    assert by_intent(changed) != by_intent(landscape)
    _compare(changed, tmp_path)


def _compare(landscape: Landscape, folder: Path) -> None:
    begun = time.monotonic()
    policies = _policies(landscape)
    intended = by_intent(landscape)
    ours = by_policies(landscape, policies)
    between = time.monotonic()
    theirs = by_cyclonus(landscape, policies, folder)
    ended = time.monotonic()
    _tell(landscape, policies, intended, between - begun, ended - between)
    assert difference(intended, ours) == ""
    assert difference(intended, theirs) == ""


def _tell(landscape: Landscape, policies: list[Manifest], allowed: Table, ours: float, theirs: float) -> None:
    number = len(landscape.members)
    print(  # noqa: T201 - numbers to report
        f"{number} pods, {number * (number - 1)} ordered pairs, {sum(1 for _ in cells(landscape))} cells, "
        f"{len(policies)} policies, {len(allowed)} cells allowed; {ours:.1f} s by ours, {theirs:.1f} s by cyclonus"
    )


def _policies(landscape: Landscape) -> list[Manifest]:
    """All that the API server has in namespaces with pods."""
    document = json.loads(kubectl("get", "networkpolicies", "-A", "-o", "json").stdout)
    found: list[Manifest] = document["items"]
    return [policy for policy in found if policy["metadata"]["namespace"] in landscape.namespaces]


def _written(landscape: Landscape) -> list[Manifest]:
    """In an order in which the API that has a contested base path is the oldest."""
    services = [manifest for manifest in map(manifest_of_service, landscape.apis) if manifest is not None]
    contested = [api for api in landscape.apis if api.shape is Shape.CONFLICTED]
    apis = [manifest_of_api(api) for api in landscape.apis if api not in contested]
    return [*services, *apis, *map(manifest_of_grant, landscape.grants), *map(manifest_of_api, contested)]


def _settle(log: AuditLog) -> None:
    time.sleep(_AT_REST)
    eventually(lambda: not log.writes(datetime.now(UTC) - timedelta(seconds=_AT_REST)), _CONVERGED)
    document = json.loads(kubectl("get", "conectaapis,conectagrants", "-A", "-o", "json").stdout)
    late = [
        f"{found['kind']} {found['metadata']['namespace']}/{found['metadata']['name']}"
        for found in document["items"]
        if found.get("status", {}).get("observedGeneration") != found["metadata"]["generation"]
    ]
    assert late == []


def _places(objects: Iterable[object]) -> set[tuple[str, str]]:
    return {(found.namespace, found.name) for found in objects}  # type: ignore[attr-defined]


def _namespace(name: str) -> Manifest:
    labels = {"conecta.gov.br/agency": name, "conecta.gov.br/cnpj": "00394460005887", "conecta.gov.br/siorg": "1929"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _restore_baseline() -> None:
    """As `pulumi up` of the sandbox has made it."""
    right = baseline(_sandbox_settings())
    for policy in platform_policies(()):
        if policy.name not in {kept.name for kept in right}:
            kubectl("delete", "networkpolicy", policy.name, "-n", policy.namespace, "--ignore-not-found")
    apply(*map(manifest_of_policy, right))


def _sandbox_settings() -> StackSettings:
    stored = settings_of(ROOT / "environments" / "Pulumi.sandbox.yaml")
    prefix = "conecta:"
    return from_mapping({key.removeprefix(prefix): value for key, value in stored.items() if key.startswith(prefix)})


def _names(kind: str) -> list[str]:
    return kubectl("get", kind, "-o", "jsonpath={.items[*].metadata.name}").stdout.split()
