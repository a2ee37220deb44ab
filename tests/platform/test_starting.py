"""An operator that starts before the platform is ready for it: it waits, says for what, and then does its job."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from conecta_operator.reconcile.mapping import WATCHED
from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.go_between import Answer, Cut, Forward, GoBetween, Party, Request, pass_on
from tests.support.grant_lives import PHASES, Life, Stage
from tests.support.kubectl import agency_namespace, apply, eventually, kubectl
from tests.support.own_operator import OwnOperator, settings_through, without_sandbox_operator
from tests.support.tokens import IssuerAdmin


@pytest.fixture(scope="module")
def stage(platform: Layout, gateway: Gateway, issuer: IssuerAdmin) -> Iterator[Stage]:
    """With an API that is served, made while the sandbox's operator runs."""
    with Stage.of(platform, gateway, issuer) as made:
        made.apis(1)
        yield made


@pytest.fixture
def life(stage: Stage, platform: Layout) -> Iterator[Life]:
    """A grant that is about to be created, and no operator."""
    (life,) = stage.lives(PHASES[:1])
    with without_sandbox_operator(platform):
        yield life
    stage.clear()


@dataclass
class Refusal:
    """Answers requests for some documents of the API server so many times."""

    paths: tuple[str, ...]
    answer: Answer | None
    """None: the connection is cut."""
    times: int
    met: list[str] = field(default_factory=list)

    async def __call__(self, request: Request, forward: Forward) -> Answer:
        """Forward, or refuse."""
        asked = request.path.partition("?")[0]
        if request.party is not Party.API_SERVER or asked not in self.paths or len(self.met) >= self.times:
            return await forward()
        self.met.append(asked)
        if self.answer is None:
            raise Cut
        return self.answer


KINDS = "/apis/conecta.gov.br/v1alpha1"
ROOTS = ("/api", "/apis")
"""What kopf reads before it watches anything."""


def _status(code: int) -> Answer:
    body = f'{{"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},"reason":"","message":"not yet"}}'
    return Answer(code, {"content-type": "application/json"}, body.encode())


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Refusal(ROOTS, _status(401), 2), id="unknown at first"),
        pytest.param(Refusal(ROOTS, _status(403), 4), id="forbidden at first"),
        pytest.param(Refusal(ROOTS, _status(400), 3), id="refused at first"),
        pytest.param(Refusal(ROOTS, _status(503), 4), id="not ready at first"),
        pytest.param(Refusal(ROOTS, None, 4), id="cut off at first"),
        pytest.param(Refusal((KINDS,), _status(404), 4), id="kinds are not named at first"),
    ],
)
def test_an_operator_whose_first_look_is_refused_looks_again(
    platform: Layout, life: Life, tmp_path: Path, refusal: Refusal
) -> None:
    with GoBetween(platform) as house:
        house.interference = refusal
        operator = OwnOperator(platform, settings_through(house, platform, tmp_path))
        operator.start()
        try:
            operator.await_ready()
            assert len(refusal.met) == refusal.times
            assert operator.is_alive
            life.create()
            eventually(life.has_settled, 30)
        finally:
            house.interference = pass_on
            operator.end()


def test_an_operator_without_rights_waits_for_them_and_says_so(platform: Layout, life: Life, tmp_path: Path) -> None:
    """A service account that nothing is bound to yet: a chart's objects may come in any order."""
    with agency_namespace("inicio") as namespace:
        kubectl("create", "serviceaccount", "operador", "-n", namespace)
        token = kubectl("create", "token", "operador", "-n", namespace).stdout.strip()
        document = yaml.safe_load(platform.service_kubeconfig("operator").read_text(encoding="utf-8"))
        document["users"][0]["user"] = {"token": token}
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(document), encoding="utf-8")
        operator = OwnOperator(platform, {"KUBECONFIG": str(kubeconfig)})
        before = platform.log("operator").stat().st_size
        operator.start()
        try:
            eventually(lambda: "waiting until everything can be watched" in _said(platform, before), 30)
            said = _said(platform, before)
            assert all(str(kind) in said for kind in WATCHED)
            assert f"serviceaccount:{namespace}:operador" in said
            assert operator.is_alive
            apply(_binding(namespace))
            operator.await_ready()
            life.create()
            eventually(lambda: life.name in _said(platform, before), 30)
        finally:
            operator.end()
            kubectl("delete", "clusterrolebinding", namespace, "--ignore-not-found")


def _binding(namespace: str) -> dict[str, object]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "conecta-operator"},
        "subjects": [{"kind": "ServiceAccount", "name": "operador", "namespace": namespace}],
    }


def _said(platform: Layout, since: int) -> str:
    """What the operator has logged beyond this place in its log."""
    with platform.log("operator").open("rb") as log:
        log.seek(since)
        return log.read().decode(errors="replace")
