"""A right to call: a fresh API, a grant on it that the API admits, and what people do to both."""

import copy
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from conecta_operator.api.objects import Manifest
from tests.support.application import Application, Gateway, Key, key_in
from tests.support.kubectl import apply, condition, eventually, find, get, kubectl, wait_ready

__all__ = ["ADMINISTRATOR", "PLAN", "Right"]

ADMINISTRATOR = "platform-admin"
"""Whom kubectl acts as."""
PLAN = "básico"


class Right:
    """A grant of `receiver` on an API of `provider`, which admits that agency beforehand (`access.preapproved`)."""

    def __init__(self, gateway: Gateway, provider: str, receiver: str, **credential: Any) -> None:
        mark = uuid.uuid4().hex[:8]
        self.gateway, self.provider, self.receiver = gateway, provider, receiver
        self.api_name, self.name = f"cep-{mark}", f"uso-{mark}"
        self.secret = f"{self.name}-conecta"
        self.path = f"/api-{self.api_name}/v1/consulta/cep/70040020"
        apply(self._api(), self._grant(credential))
        wait_ready("conectaapi", provider, self.api_name)
        self.wait_until_it_holds()

    def _api(self) -> Manifest:
        spec = copy.deepcopy(get("conectaapi", "receita", "cep")["spec"])
        spec["plans"] = [{"name": PLAN}]
        spec["access"] = {"approval": "Manual", "preapproved": [{"agency": self.receiver}]}
        return _object("ConectaApi", self.provider, self.api_name, spec)

    def _grant(self, credential: Manifest) -> Manifest:
        spec = {
            "apiRef": {"namespace": self.provider, "name": self.api_name},
            "application": {"name": "teste"},
            "plan": PLAN,
            "credential": credential,
        }
        return _object("ConectaGrant", self.receiver, self.name, spec)

    def wait_until_it_holds(self) -> None:
        """Return when the grant is ready, and its key opens the API."""
        wait_ready("conectagrant", self.receiver, self.name)
        application = self.application
        token = application.token()
        eventually(lambda: self.status(application, token) == 200)

    @property
    def grant(self) -> Manifest:
        """As the API server has it now."""
        return get("conectagrant", self.receiver, self.name)

    @property
    def api(self) -> Manifest:
        """As the API server has it now."""
        return get("conectaapi", self.provider, self.api_name)

    @property
    def key(self) -> Key:
        """As the Secret has it now."""
        return key_in(self.receiver, self.secret)

    @property
    def application(self) -> Application:
        """The application, with the key that it finds in the Secret now."""
        return Application(self.gateway, self.key)

    @property
    def key_states(self) -> list[tuple[int, str]]:
        """What status says of the keys: their numbers and states."""
        keys = self.grant["status"].get("keys", [])
        return [(int(key["clientId"].rpartition("-")[2]), key["state"]) for key in keys]

    @property
    def revoked_keys(self) -> set[str]:
        """Client ids on the API's list."""
        return {entry["clientId"] for entry in self.api["status"].get("revokedKeys", [])}

    @property
    def denied_keys(self) -> set[str]:
        """Client ids that the gateway is told to refuse."""
        rules = get("securitypolicy", self.provider, self.api_name)["spec"]["authorization"]["rules"]
        denials = [rule["principal"]["jwt"] for rule in rules if rule["action"] == "Deny" and "principal" in rule]
        claims = [claim for denial in denials for claim in denial.get("claims", [])]
        return {value for claim in claims if claim["name"] == "client_id" for value in claim["values"]}

    def status(self, application: Application, token: str | None = None) -> int:
        """How a call is answered."""
        return application.call("GET", self.path, token=token).status

    def says(self, type_: str) -> str | None:
        """The reason of one of the grant's conditions."""
        reason: str | None = condition(self.grant, type_).get("reason")
        return reason

    def change(self, patch: Manifest) -> None:
        """Write to the grant, as its receiver does."""
        self._patch("conectagrant", self.receiver, self.name, patch)

    def change_api(self, patch: Manifest) -> None:
        """Write to the API, as its provider does."""
        self._patch("conectaapi", self.provider, self.api_name, patch)

    def decide(self, decision: str) -> None:
        """Decide over the grant, as somebody who may."""
        terms = {"application": "teste", "plan": PLAN} if decision == "Approved" else None
        at = datetime.now(UTC).isoformat(timespec="seconds")
        approval = {"decision": decision, "by": ADMINISTRATOR, "at": at, "terms": terms, "rule": None, "message": None}
        self._patch(
            "conectagrant", self.receiver, self.name, {"status": {"approval": approval}}, "--subresource=status"
        )

    def delete(self) -> None:
        """Have the grant deleted; that takes a while."""
        kubectl("delete", "conectagrant", self.name, "-n", self.receiver, "--wait=false")

    def withdraw_api(self) -> None:
        """Have the API deleted with the rights of all its grants."""
        kubectl("annotate", "conectaapi", self.api_name, "-n", self.provider, "conecta.gov.br/withdraw-grants=true")
        kubectl("delete", "conectaapi", self.api_name, "-n", self.provider, "--wait=false")

    def create_api_again(self) -> None:
        """Have an API of the same name, which admits nobody beforehand. One that is there still is removed by force."""
        kubectl("delete", "conectaapi", self.api_name, "-n", self.provider, "--wait=false", "--ignore-not-found")
        if find("conectaapi", self.provider, self.api_name) is not None:
            self.change_api({"metadata": {"finalizers": None}})
        manifest = self._api()
        apply({**manifest, "spec": {**manifest["spec"], "access": {"approval": "Manual"}}})
        wait_ready("conectaapi", self.provider, self.api_name)

    def suspend_agency(self) -> None:
        """Label the receiver's namespace, as the platform team does."""
        kubectl("label", "namespace", self.receiver, "conecta.gov.br/suspended=true")

    def resume_agency(self) -> None:
        """Take that label away."""
        kubectl("label", "namespace", self.receiver, "conecta.gov.br/suspended-")

    def _patch(self, kind: str, namespace: str, name: str, patch: Manifest, *options: str) -> None:
        kubectl("patch", kind, name, "-n", namespace, "--type=merge", *options, "-p", json.dumps(patch))


def _object(kind: str, namespace: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": spec,
    }
