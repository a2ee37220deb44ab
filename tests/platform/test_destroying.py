"""`pulumi destroy` takes away all that the program made, and the platform can be brought up again. Runs last."""

import sys

from sandbox.layout import Layout
from sandbox.steps import Report
from sandbox.up import up
from tests.support.application import Application, Gateway, key_in
from tests.support.kubectl import find
from tests.support.pulumi import pulumi


def test_destroying_leaves_nothing_and_up_brings_all_back(platform: Layout, gateway: Gateway) -> None:
    pulumi("destroy", "--yes", "--skip-preview")
    for kind, name in (
        ("namespace", "receita"),
        ("namespace", "conecta-gateway"),
        ("gatewayclass", "conecta"),
        ("customresourcedefinition", "conectaapis.conecta.gov.br"),
        ("clusterrole", "conecta-operator"),
    ):
        assert find(kind, "", name) is None, f"{kind} {name} is left"
    up(platform, Report(sys.stdout))
    application = Application(gateway, key_in("saude", "agendamento-cep-conecta"))
    assert application.call("GET", "/api-cep/v1/consulta/cep/70040020").status == 200
