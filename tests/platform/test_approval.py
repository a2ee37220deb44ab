"""Who may decide over a grant: people and the operator before the real API server, each with the rights it really has.

Where nothing is said, a write is a trial (`dryRun`): the API server judges it like any other, and forgets it.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.changes import ABSENT, but
from tests.support.kubectl import eventually, find, get, kubectl
from tests.support.users import OPERATOR, Answer, ApiServer, People, Requests, User, approval, certified, done

BY_RULE = {"rule": "access.approval"}
BY_NOBODY = {"rule": None}


@pytest.fixture(scope="module")
def people(platform: Layout) -> Iterator[People]:
    server = ApiServer(platform)
    yield People(server)
    server.close()


@pytest.fixture(scope="module")
def requests(people: People) -> Iterator[Requests]:
    requests = Requests(people)
    yield requests
    requests.remove()


@pytest.fixture(scope="module")
def undecided(requests: Requests) -> Manifest:
    """A grant that waits."""
    return requests.new("undecided")


@pytest.fixture(scope="module")
def decided(requests: Requests, people: People) -> Manifest:
    """A grant that Ana has approved, and on which the operator has reported."""
    grant = requests.new("decided")
    done(people.operator.patch(grant, {"status": {"observedGeneration": 1}}, part="status", for_good=True))
    done(people.ana.decide(grant, approval(grant, people.ana, message="Até 2099."), for_good=True))
    return grant


@pytest.fixture(scope="module")
def ruled(requests: Requests, people: People) -> Manifest:
    """A grant that the operator has approved by a rule."""
    grant = requests.new("ruled", "Automatic")
    done(people.operator.decide(grant, approval(grant, people.operator, **BY_RULE), for_good=True))
    return grant


@pytest.mark.parametrize("decision", ["Approved", "Denied", "Revoked"])
@pytest.mark.parametrize("state", ["undecided", "decided"])
def test_whoever_may_approve_the_api_decides(
    people: People, request: pytest.FixtureRequest, state: str, decision: str
) -> None:
    grant = request.getfixturevalue(state)
    assert done(people.davi.decide(grant, approval(grant, people.davi, decision))).body["status"]["approval"]


def test_a_receiver_cannot_approve_its_own_grant(people: People, undecided: Manifest) -> None:
    answer = people.rui.decide(undecided, approval(undecided, people.rui))
    assert answer.status == 403
    assert 'cannot patch resource "conectagrants/status"' in answer.words


@pytest.mark.parametrize("decision", ["Approved", "Denied", "Revoked"])
@pytest.mark.parametrize("state", ["undecided", "decided", "ruled"])
def test_a_provider_decides_over_no_other_agencys_api(
    people: People, request: pytest.FixtureRequest, state: str, decision: str
) -> None:
    """Not even over what its own agency asks for."""
    grant = request.getfixturevalue(state)
    answer = people.bia.decide(grant, approval(grant, people.bia, decision) | BY_NOBODY)
    assert answer.status == 403
    api = grant["spec"]["apiRef"]["name"]
    assert (
        f"bia@saude.example may not decide over this grant: that takes the verb approve on the ConectaApi receita/{api}"
        in answer.words
    )


@pytest.mark.parametrize("state", ["undecided", "decided"])
@pytest.mark.parametrize("name", ["rui@saude.example", "ANA@receita.example", OPERATOR])
def test_nobody_decides_in_anothers_name(people: People, request: pytest.FixtureRequest, state: str, name: str) -> None:
    grant = request.getfixturevalue(state)
    answer = people.ana.decide(grant, approval(grant, people.ana) | {"by": name})
    assert answer.status == 403
    assert "status.approval.by must be who decides: ana@receita.example" in answer.words


@pytest.mark.parametrize(
    "change",
    [{"message": "Só até julho."}, {"at": "2027-01-01T00:00:00Z"}, {"decision": "Revoked"}, {"message": None}],
    ids=["the message", "the time", "the decision", "no message any more"],
)
def test_whoever_changes_a_part_of_a_decision_takes_it_over(
    people: People, decided: Manifest, change: Manifest
) -> None:
    assert "status.approval.by must be who decides" in people.davi.decide(decided, change).words
    done(people.davi.decide(decided, change | {"by": people.davi.name}))
    done(people.ana.decide(decided, change))


def test_the_verb_may_be_given_for_one_api_and_no_other_verb_stands_for_it(people: People, requests: Requests) -> None:
    every_other = ["get", "list", "watch", "create", "update", "patch", "delete"]
    apis = {"apiGroups": ["conecta.gov.br"], "resources": ["conectaapis"]}
    one = {"resourceNames": [requests.api("Manual")], "verbs": ["approve"]}
    grant, other = requests.new("one-api"), requests.new("other-api", "Automatic")
    with people.with_role(apis | {"verbs": every_other}, apis | one) as eli:
        eventually(lambda: done(eli.decide(grant, approval(grant, eli))))
        assert "the verb approve" in eli.decide(other, approval(other, eli, "Denied") | BY_NOBODY).words


def test_a_decision_is_taken_away_only_by_who_could_make_it(people: People, decided: Manifest, ruled: Manifest) -> None:
    for grant in (decided, ruled):
        assert "the verb approve" in people.bia.decide(grant, None).words
        assert "approval" not in done(people.davi.decide(grant, None)).body["status"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("plan", "ouro", id="another plan"),
        pytest.param("plan", ABSENT, id="no plan"),
        pytest.param("purpose", "Conferir endereços", id="a purpose without its full stop"),
        pytest.param("legalBasis", "Art7II", id="another legal basis"),
        pytest.param("application", "fila", id="another application"),
        pytest.param("sourceRanges", ["203.0.113.0/24"], id="fewer ranges"),
        pytest.param("sourceRanges", ABSENT, id="any address"),
        pytest.param("validUntil", "2099-01-01T00:00:00Z", id="an end three hours earlier"),
        pytest.param("validUntil", ABSENT, id="no end"),
    ],
)
@pytest.mark.parametrize("who", ["ana", "operator"])
def test_only_what_the_spec_asks_for_is_approved(
    people: People, undecided: Manifest, who: str, field: str, value: object
) -> None:
    user: User = getattr(people, who)
    wanted = approval(undecided, user, **(BY_RULE if who == "operator" else {}))
    answer = user.decide(undecided, but(wanted, {f"terms.{field}": value}))
    assert answer.status == 403
    assert answer.words.endswith(f"status.approval.terms must be what the spec asks for now; what differs: {field}")


def test_all_terms_that_differ_are_named_at_once(people: People, undecided: Manifest) -> None:
    terms = {"application": undecided["spec"]["application"]["name"]}
    answer = people.ana.decide(undecided, approval(undecided, people.ana) | {"terms": terms})
    assert answer.words.endswith("what differs: plan, purpose, legalBasis, sourceRanges, validUntil")


def test_a_moment_may_be_written_otherwise(people: People, undecided: Manifest) -> None:
    done(
        people.ana.decide(undecided, but(approval(undecided, people.ana), {"terms.validUntil": "2099-01-01T03:00:00Z"}))
    )


def test_a_refusal_needs_no_terms(people: People, undecided: Manifest) -> None:
    for decision in ("Denied", "Revoked"):
        done(people.ana.decide(undecided, but(approval(undecided, people.ana, decision), {"terms": ABSENT})))


def test_terms_that_the_spec_has_left_behind_are_not_approved_again(people: People, requests: Requests) -> None:
    grant = requests.new("outgrown")
    done(people.ana.decide(grant, approval(grant, people.ana), for_good=True))
    done(people.rui.patch(grant, {"spec": {"purpose": "Vender endereços."}}, for_good=True))
    for change in ({"message": "Continua."}, approval(grant, people.ana, message="Continua.")):
        assert people.ana.decide(grant, change).words.endswith("what differs: purpose")
    done(people.ana.decide(grant, {"decision": "Revoked"}))
    done(people.ana.decide(grant, {"terms": {"purpose": "Vender endereços."}}))


@pytest.mark.parametrize("rule", ["access.approval", "access.preapproved"])
def test_nobody_claims_that_a_rule_decided(people: People, undecided: Manifest, ruled: Manifest, rule: str) -> None:
    for user in (people.ana, people.admin):
        for grant in (undecided, ruled):
            answer = user.decide(grant, approval(grant, user, "Denied", rule=rule))
            assert answer.status == 403
            assert "status.approval.rule must be absent: only the operator decides by a rule" in answer.words


def test_somebody_may_replace_what_a_rule_decided(people: People, ruled: Manifest) -> None:
    for decision in ("Approved", "Denied", "Revoked"):
        done(people.ana.decide(ruled, approval(ruled, people.ana, decision) | BY_NOBODY))


OTHER_FIELDS = {
    "approvalSeen": {"by": "ana@receita.example", "at": "2026-11-24T12:00:00Z", "apiUid": "0a1b2c3d"},
    "observedGeneration": 7,
    "url": "https://elsewhere.example",
    "tokenUrl": "https://elsewhere.example/token",
    "keys": [{"clientId": "saude-x-1", "state": "Active", "issuedAt": "2026-11-24T12:00:00Z"}],
    "endedKeys": [{"clientId": "saude-x-1", "until": "2026-11-24T14:00:00Z"}],
    "binding": {"name": "secret"},
    "conditions": [
        {
            "type": "Approved",
            "status": "True",
            "reason": "Approved",
            "message": "",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-11-24T12:00:00Z",
        }
    ],
}


@pytest.fixture(scope="module")
def status_fields(platform: object) -> set[str]:  # noqa: ARG001 - it has to be up
    """All that a grant's status can hold."""
    [version] = get("crd", "", "conectagrants.conecta.gov.br")["spec"]["versions"]
    return set(version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"])


def test_all_fields_of_status_but_the_decision_are_the_operators(
    people: People, undecided: Manifest, status_fields: set[str]
) -> None:
    assert set(OTHER_FIELDS) == status_fields - {"approval"}
    for field, value in OTHER_FIELDS.items():
        for user in (people.ana, people.bia, people.admin):
            answer = user.patch(undecided, {"status": {field: value}}, part="status")
            assert answer.status == 403, field
            assert "only status.approval may be written" in answer.words
        done(people.operator.patch(undecided, {"status": {field: value}}, part="status"))


def test_a_decision_brings_no_other_field_along(people: People, undecided: Manifest) -> None:
    status = {"approval": approval(undecided, people.ana), "observedGeneration": 7}
    assert "only status.approval" in people.ana.patch(undecided, {"status": status}, part="status").words


def test_what_the_operator_reported_is_not_removed(people: People, decided: Manifest) -> None:
    for status in (None, {"observedGeneration": None}):
        assert "only status.approval" in people.ana.patch(decided, {"status": status}, part="status").words


def test_a_write_that_changes_nothing_is_nobodys_decision(people: People, decided: Manifest) -> None:
    stored = find("conectagrant", "saude", decided["metadata"]["name"])
    assert stored is not None
    done(people.bia.decide(decided, stored["status"]["approval"]))


@pytest.mark.parametrize("decision", ["Approved", "Denied", "Revoked"])
@pytest.mark.parametrize("rule", ["access.approval", "access.preapproved"])
def test_the_operator_decides_by_a_rule_where_nobody_has(
    people: People, undecided: Manifest, ruled: Manifest, decision: str, rule: str
) -> None:
    for grant in (undecided, ruled):
        done(people.operator.decide(grant, approval(grant, people.operator, decision, rule=rule)))


def test_the_operator_does_not_decide_without_a_rule(people: People, undecided: Manifest, ruled: Manifest) -> None:
    for decision in ("Approved", "Denied", "Revoked"):
        for grant in (undecided, ruled):
            answer = people.operator.decide(grant, approval(grant, people.operator, decision) | BY_NOBODY)
            assert answer.status == 403
            assert "the operator decides by a rule only, which status.approval.rule names" in answer.words


def test_the_operator_does_not_take_a_decision_away(people: People, decided: Manifest, ruled: Manifest) -> None:
    assert "does not replace what somebody has decided" in people.operator.decide(decided, None).words
    assert "decides by a rule only" in people.operator.decide(ruled, None).words


@pytest.mark.parametrize("decision", ["Approved", "Denied", "Revoked"])
def test_the_operator_never_replaces_what_somebody_decided(people: People, decided: Manifest, decision: str) -> None:
    for change in (approval(decided, people.operator, decision, **BY_RULE), BY_RULE, {"message": "x"}):
        answer = people.operator.decide(decided, change)
        assert answer.status == 403
        assert "the operator does not replace what somebody has decided" in answer.words
    done(people.operator.patch(decided, {"status": {"observedGeneration": 2}}, part="status"))


def test_the_operator_decides_in_its_own_name(people: People, undecided: Manifest) -> None:
    answer = people.operator.decide(undecided, approval(undecided, people.ana, **BY_RULE))
    assert f"status.approval.by must be who decides: {OPERATOR}" in answer.words


def test_status_is_not_written_with_the_object(people: People, undecided: Manifest, decided: Manifest) -> None:
    """By no write of the whole object, whoever may write it."""
    for grant in (undecided, decided):
        live = get("conectagrant", "saude", grant["metadata"]["name"])
        wanted = approval(grant, people.rui, message="Eu mesmo.")
        for answer in (
            people.rui.patch(grant, {"status": {"approval": wanted}}),
            people.rui.patch(grant, {"status": None}),
            people.rui.put(live | {"status": {"approval": wanted}}),
            people.rui.put({name: value for name, value in live.items() if name != "status"}),
            people.rui.apply(grant | {"status": {"approval": wanted}}),
        ):
            assert done(answer).body.get("status", {}).get("approval") == live.get("status", {}).get("approval")
        new = but(grant, {"metadata.name": "new", "status": {"approval": wanted}})
        for answer in (people.rui.create(new), people.rui.apply(new)):
            assert "status" not in done(answer).body


def test_applying_status_on_the_servers_side_is_no_way_around(
    people: People, undecided: Manifest, decided: Manifest
) -> None:
    def applied(user: User, grant: Manifest, **other: object) -> Answer:
        parts = {"apiVersion": grant["apiVersion"], "kind": grant["kind"]}
        name = {key: grant["metadata"][key] for key in ("namespace", "name")}
        return user.apply(
            {**parts, "metadata": name, "status": {"approval": approval(grant, user), **other}}, part="status"
        )

    for grant in (undecided, decided):
        done(applied(people.ana, grant))
        assert "the verb approve" in applied(people.bia, grant).words
        assert "only status.approval" in applied(people.ana, grant, observedGeneration=7).words
        assert applied(people.rui, grant).status == 403


def test_replacing_status_does_not_change_which_api_is_asked_for(people: People, undecided: Manifest) -> None:
    """Bia may approve for Saúde's APIs, so she says that the grant is for one."""
    live = get("conectagrant", "saude", undecided["metadata"]["name"])
    forged = but(live, {"spec.apiRef.namespace": "saude", "status.approval": approval(undecided, people.bia)})
    assert "on the ConectaApi receita/" in people.bia.put(forged, part="status").words
    assert "immutable" in people.rui.patch(undecided, {"spec": {"apiRef": {"namespace": "saude"}}}).words


def test_deciding_writes_nothing_but_status(people: People, undecided: Manifest) -> None:
    live = get("conectagrant", "saude", undecided["metadata"]["name"])
    changes = {"metadata.finalizers": ["a.example/b"], "metadata.labels": {"a": "b"}, "spec.purpose": "Outra."}
    forged = but(live, {**changes, "status.approval": approval(undecided, people.ana)})
    body = done(people.ana.put(forged, part="status")).body
    assert (body["spec"], body["metadata"].get("labels")) == (live["spec"], live["metadata"].get("labels"))
    assert body["metadata"].get("finalizers") == live["metadata"].get("finalizers")
    assert people.ana.patch(undecided, {"spec": {"suspended": True}}).status == 403


def test_a_grant_has_no_other_way_in(people: People, undecided: Manifest) -> None:
    assert people.admin.patch(undecided, {"spec": {"replicas": 1}}, part="scale").status == 404


@pytest.mark.parametrize("who", ["nobody", "ana", "operator"])
def test_nothing_keeps_a_grant_from_being_deleted(people: People, requests: Requests, who: str) -> None:
    """Whoever decided, and however: its finalizer is removed, status is still reported, and it goes."""
    grant = requests.new(f"leaving-{who}", finalizers=("test.example/held",))
    name = grant["metadata"]["name"]
    if who != "nobody":
        user: User = getattr(people, who)
        rule = BY_RULE if who == "operator" else {}
        done(user.decide(grant, approval(grant, user, "Revoked", **rule), for_good=True))
    kubectl("delete", "conectagrant", name, "-n", "saude", "--wait=false")
    assert get("conectagrant", "saude", name)["metadata"]["deletionTimestamp"]
    done(people.operator.patch(grant, {"status": {"observedGeneration": 9}}, part="status"))
    done(people.ana.decide(grant, approval(grant, people.ana, "Revoked") | BY_NOBODY))

    def is_gone() -> bool:
        live = find("conectagrant", "saude", name)
        if live and "test.example/held" in live["metadata"]["finalizers"]:
            kept = [finalizer for finalizer in live["metadata"]["finalizers"] if finalizer != "test.example/held"]
            done(people.operator.put(but(live, {"metadata.finalizers": kept})))
            done(people.rui.patch(grant, {"metadata": {"finalizers": kept}}, for_good=True))
        return live is None

    eventually(is_gone)


def test_nothing_keeps_a_namespace_from_being_deleted(people: People, requests: Requests) -> None:
    namespace = f"partindo-{secrets.token_hex(3)}"
    kubectl("create", "namespace", namespace)
    grant = requests.new("leaving-too", namespace=namespace)
    done(people.ana.decide(grant, approval(grant, people.ana, "Denied"), for_good=True))
    kubectl("delete", "namespace", namespace, "--timeout=60s")
    assert find("namespace", "", namespace) is None


def test_people_with_certificates_decide_by_kubectl(
    platform: Layout, people: People, requests: Requests, tmp_path: Path
) -> None:
    grant = requests.new("by-kubectl")
    name = grant["metadata"]["name"]
    ana = certified(platform, tmp_path, "ana@receita.example", "conecta:receita:providers")
    patch = json.dumps({"status": {"approval": approval(grant, people.ana)}})
    command = ("patch", "conectagrant", name, "-n", "saude", "--subresource=status", "--type=merge", "-p", patch)
    for user, group, words in (
        ("rui@saude.example", "conecta:saude:receivers", 'resource "conectagrants/status"'),
        ("bia@saude.example", "conecta:saude:providers", "bia@saude.example may not decide over this grant"),
        ("davi@receita.example", "conecta:receita:providers", "by must be who decides: davi@receita.example"),
    ):
        refused = certified(platform, tmp_path, user, group).kubectl(*command)
        assert refused.returncode != 0
        assert words in refused.stderr
    accepted = ana.kubectl(*command)
    assert accepted.returncode == 0, accepted.stderr
    assert get("conectagrant", "saude", name)["status"]["approval"]["by"] == "ana@receita.example"
