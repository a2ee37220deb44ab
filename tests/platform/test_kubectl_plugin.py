"""`kubectl conecta` on the running platform, by people with the rights of their roles and no others."""

import copy
import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from conecta_operator.api.objects import Manifest
from tests.support.application import Gateway, key_in
from tests.support.kubectl import apply, condition, eventually, get, kubectl, wait_ready

pytestmark = pytest.mark.usefixtures("platform")

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "grant.md"


def conecta(group: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the plugin as somebody of a group, such as `saude:receivers`."""
    who = ("--as", f"somebody@{group.split(':', maxsplit=1)[0]}.example", "--as-group", f"conecta:{group}")
    return kubectl("conecta", *arguments, *who, check=check)


def provider(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return conecta("receita:providers", *arguments, check=check)


def receiver(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return conecta("saude:receivers", *arguments, check=check)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that it costs."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


class Requested:
    """A request of `saude` on an API of `receita` whose provider decides."""

    def __init__(self) -> None:
        self.api = f"cep-{uuid.uuid4().hex[:6]}"
        self.name = f"uso-de-{self.api}"
        self.grant = f"saude/{self.name}"
        spec = copy.deepcopy(get("conectaapi", "receita", "cep")["spec"]) | {"access": {"approval": "Manual"}}
        head = {"apiVersion": "conecta.gov.br/v1alpha1"}
        api = {**head, "kind": "ConectaApi", "metadata": {"name": self.api, "namespace": "receita"}, "spec": spec}
        request: Manifest = {
            "apiRef": {"namespace": "receita", "name": self.api},
            "application": {"name": "teste"},
            "purpose": "Provar.",
            "validUntil": "2099-12-31T00:00:00-03:00",
        }
        grant = {**head, "kind": "ConectaGrant", "metadata": {"name": self.name, "namespace": "saude"}, "spec": request}
        apply(api, grant)
        wait_ready("conectaapi", "receita", self.api)

    def read(self) -> Manifest:
        return get("conectagrant", "saude", self.name)

    def ready(self) -> None:
        wait_ready("conectagrant", "saude", self.name)

    def call(self, gateway: Gateway, token: str) -> int:
        path = f"/api-{self.api}/v1/consulta/cep/70040020"
        headers = {"authorization": f"Bearer {token}", "x-cpf-usuario": "11144477735"}
        return gateway.request("GET", path, headers=headers).status

    def token(self) -> str:
        return receiver("token", self.grant).stdout.strip()

    def remove(self) -> None:
        kubectl("delete", "conectagrant", self.name, "-n", "saude", "--ignore-not-found", "--timeout=30s")
        kubectl("delete", "conectaapi", self.api, "-n", "receita", "--ignore-not-found", "--timeout=30s")


@pytest.fixture(scope="module")
def undecided(platform: object) -> Iterator[Requested]:  # noqa: ARG001 - brings it up
    """A request that nobody decides on."""
    made = Requested()
    yield made
    made.remove()


@pytest.fixture
def granted(gateway: Gateway, platform: object) -> Iterator[Requested]:  # noqa: ARG001
    """A request that the provider has approved, and that works."""
    made = Requested()
    provider("approve", made.grant)
    made.ready()
    eventually(lambda: made.call(gateway, made.token()) == 200)
    yield made
    made.remove()


def test_kubectl_finds_the_plugin_and_it_works_alone() -> None:
    assert "kubectl-conecta" in kubectl("plugin", "list").stdout
    alone = subprocess.run(["kubectl-conecta", "grants", "-o", "name"], capture_output=True, text=True, check=True)
    assert alone.stdout == kubectl("conecta", "grants", "-o", "name").stdout
    assert "conectagrant.conecta.gov.br/agendamento-cep" in alone.stdout.split()


def test_a_provider_sees_what_waits_for_it(undecided: Requested) -> None:
    table = provider("grants", "--pending", "--api", f"receita/{undecided.api}").stdout.splitlines()
    assert table[0].split()[:4] == ["NAMESPACE", "NAME", "API", "APPLICATION"]
    assert [line.split()[:6] for line in table[1:]] == [
        ["saude", undecided.name, f"receita/{undecided.api}", "teste", "<none>", "Pending"]
    ]
    listed = json.loads(provider("grants", "--pending", "-o", "json").stdout)
    assert undecided.name in {item["metadata"]["name"] for item in listed["items"]}


def test_a_receiver_sees_its_own(undecided: Requested) -> None:
    assert undecided.name in receiver("grants", "-n", "saude").stdout
    assert "cannot list" in refusal(receiver("grants", check=False))
    assert "cannot list" in refusal(receiver("grants", "-n", "receita", check=False))


@pytest.mark.parametrize("command", [["approve"], ["deny", "--message", "m"]])
@pytest.mark.parametrize("group", ["saude:receivers", "saude:providers"])
def test_who_may_not_decide_is_told_in_one_line(undecided: Requested, group: str, command: list[str]) -> None:
    assert "Forbidden" in refusal(conecta(group, command[0], undecided.grant, *command[1:], check=False))
    assert "approval" not in undecided.read().get("status", {})


def test_a_provider_changes_no_request_and_gets_no_token(granted: Requested) -> None:
    for command in (["suspend"], ["rotate"], ["rotate", "--now"]):
        assert "cannot patch" in refusal(provider(command[0], granted.grant, *command[1:], check=False))
    assert "cannot get" in refusal(provider("token", granted.grant, check=False))


def test_why_names_who_can_mend_it(undecided: Requested) -> None:
    """The receiver, who may read neither API nor route, is told as much as the provider."""
    for said in (receiver("why", undecided.grant).stdout, provider("why", undecided.grant).stdout):
        assert "Waits:   approval: nobody has decided yet" in said
        assert f"Who:     the provider: whoever may change and approve ConectaApi receita/{undecided.api}" in said
        assert f"How:     kubectl conecta approve {undecided.grant}" in said


def test_a_grant_that_does_not_exist_is_named() -> None:
    for command in ("why", "approve", "suspend", "rotate", "token"):
        assert refusal(kubectl("conecta", command, "saude/none", check=False)).endswith('"none" not found')


def test_approval_is_the_callers_on_the_terms_of_now(granted: Requested) -> None:
    approval = granted.read()["status"]["approval"]
    del approval["at"]
    assert approval == {
        "decision": "Approved",
        "by": "somebody@receita.example",
        "terms": {"application": "teste", "purpose": "Provar.", "validUntil": "2099-12-31T00:00:00-03:00"},
    }
    assert "Nothing is wrong" in receiver("why", granted.grant).stdout
    assert "(no change)" in provider("approve", granted.grant).stdout


def test_a_change_waits_until_it_is_approved(granted: Requested) -> None:
    kubectl("patch", "conectagrant", granted.name, "-n", "saude", "--type=merge", "-p", '{"spec":{"purpose":"Mais."}}')
    assert granted.name in provider("grants", "--pending").stdout
    assert "a change of purpose waits for approval" in provider("why", granted.grant).stdout
    provider("approve", granted.grant)
    assert granted.read()["status"]["approval"]["terms"]["purpose"] == "Mais."
    assert granted.name not in provider("grants", "--pending").stdout


def test_tokens_are_printed_only_when_asked_for(granted: Requested, gateway: Gateway) -> None:
    assert granted.call(gateway, granted.token()) == 200
    quiet = receiver("token", granted.grant, "--quiet")
    assert quiet.stdout.startswith(f"the key of {granted.grant} works")
    assert "eyJ" not in quiet.stdout + quiet.stderr
    assert json.loads(receiver("token", granted.grant, "-o", "json").stdout)["expires_in"] == 7200


def test_suspending_stops_and_resuming_lets_go_on_with_the_same_key(granted: Requested, gateway: Gateway) -> None:
    token, key = granted.token(), key_in("saude", f"{granted.name}-conecta")
    assert "suspended" in receiver("suspend", granted.grant).stdout
    eventually(lambda: granted.call(gateway, token) == 403)
    eventually(lambda: condition(granted.read(), "CredentialsReady").get("reason") == "Suspended")
    refusal(receiver("token", granted.grant, check=False))
    assert f"How:     kubectl conecta resume {granted.grant}" in receiver("why", granted.grant).stdout
    receiver("resume", granted.grant)
    eventually(lambda: granted.call(gateway, token) == 200)
    assert key_in("saude", f"{granted.name}-conecta") == key


def test_rotating_gives_another_key_beside_the_old_one(granted: Requested, gateway: Gateway) -> None:
    old = granted.token()
    assert "rotation requested (serial 1)" in receiver("rotate", granted.grant).stdout
    eventually(lambda: [k["state"] for k in granted.read()["status"].get("keys", [])] == ["Retiring", "Active"])
    assert granted.call(gateway, old) == 200
    eventually(lambda: granted.call(gateway, granted.token()) == 200)


def test_a_leaked_key_is_dead_when_rotate_now_returns(granted: Requested, gateway: Gateway) -> None:
    """An older one that was retiring is, too; and later rotations have their overlap again."""
    first = granted.token()
    receiver("rotate", granted.grant)
    eventually(lambda: len(granted.read()["status"]["keys"]) == 2)
    second = granted.token()
    assert "old ones are refused" in receiver("rotate", granted.grant, "--now").stdout
    assert [granted.call(gateway, token) for token in (first, second)] == [403, 403]
    eventually(lambda: granted.call(gateway, granted.token()) == 200)
    credential = granted.read()["spec"]["credential"]
    assert (credential["serial"], credential["overlap"]) == (2, "72h")


def test_revoking_ends_it_and_says_why(granted: Requested, gateway: Gateway) -> None:
    token = granted.token()
    assert "use revoke" in refusal(provider("deny", granted.grant, "--message", "Não.", check=False))
    provider("revoke", granted.grant, "--message", "Uso fora da finalidade.")
    eventually(lambda: granted.call(gateway, token) == 403)
    said = receiver("why", granted.grant).stdout
    assert re.search(r"Wrong: +approval: revoked by somebody@receita\.example at .*: Uso fora da finalidade\.", said)
    eventually(lambda: "has no key" in refusal(receiver("token", granted.grant, check=False)))


def test_the_how_to_can_be_followed_to_the_letter() -> None:
    """Every block in order, in one shell, as somebody types it; what it promises to show is shown."""
    text = HOW_TO.read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    done = subprocess.run(
        ["sh", "-eu"],
        input=script,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        cwd=HOW_TO.parents[2],
        env={name: value for name, value in os.environ.items() if name != "KUBECONFIG"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rest = done.stdout
    for promised in re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in promised.splitlines():
            pattern = re.escape(line).replace("…", r"[^\n]*").replace(r"\ ", r"\s+")
            found = re.search(pattern, rest)
            assert found, f"not shown: {line}\n{done.stdout}\n{done.stderr}"
            rest = rest[found.end() :]
