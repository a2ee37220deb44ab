"""A grant's status, as the patch that makes it so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conecta_operator.api.approvals import GrantApproval
from conecta_operator.api.conecta_grant import MOST_ENDED_KEYS, KeyState
from conecta_operator.api.durations import timestamp
from conecta_operator.api.keys import Key
from conecta_operator.api.objects import Manifest
from conecta_operator.plan import naming
from conecta_operator.plan.approval import Admission
from conecta_operator.plan.revocation import last_token_expires
from conecta_operator.plan.summary import Finding, conditions
from conecta_operator.plan.world import GrantWorld

__all__ = ["GrantReport", "status_of"]


@dataclass(frozen=True, kw_only=True)
class GrantReport:
    """What is to be said. `keys` None: nothing new is known of them, so that what was said of them stays.

    `removed` are the client ids that the issuer is told to forget.
    """

    findings: Sequence[Finding]
    decided: Admission | None
    keys: Sequence[Key] | None
    current: Key | None
    remarks: Sequence[Finding] = ()
    removed: Collection[str] = ()


def status_of(world: GrantWorld, report: GrantReport) -> Manifest:
    """JSON merge patch for the grant's status."""
    grant, platform = world.grant, world.platform
    url = f"{platform.gateway_url}{world.api.base_path}" if world.api is not None else None
    status: Manifest = {
        "observedGeneration": grant.metadata.generation,
        "conditions": conditions(
            report.findings,
            remarks=report.remarks,
            when_ready=f"The key in Secret {grant.secret_name} opens {url}.",
            generation=grant.metadata.generation,
            old=grant.status.conditions,
            now=world.now,
        ),
    }
    if report.decided is not None and report.decided.approval != grant.status.approval:
        status["approval"] = _instead_of(grant.status.approval, report.decided.approval)
    if report.decided is not None and report.decided.seen != grant.status.approval_seen:
        status["approvalSeen"] = report.decided.seen.as_manifest() if report.decided.seen is not None else None
    if report.keys is not None:
        has_keys = bool(report.keys)
        status |= {
            "url": url if has_keys else None,
            "tokenUrl": f"{platform.gateway_url}{platform.token_path}" if has_keys else None,
            "keys": [_report(key) for key in report.keys] or None,
            "binding": {"name": grant.secret_name} if report.current is not None else None,
        }
        ended = _ended(world, report.keys, report.removed)
        if ended or grant.status.ended_keys:
            entries = sorted(ended.items())[-MOST_ENDED_KEYS:]
            status["endedKeys"] = [{"clientId": key, "until": timestamp(until)} for key, until in entries] or None
    return status


def _ended(world: GrantWorld, keys: Sequence[Key], removed: Collection[str]) -> Mapping[str, datetime]:
    """Client ids that the issuer has no more, or not for long, while their tokens are neither expired nor refused."""
    reported = {key.client_id for key in world.grant.status.keys if naming.key_number(world.grant, key.client_id)}
    known = {key.client_id for key in world.keys or ()}
    gone = {*removed, *(reported - known)} - {key.client_id for key in keys}
    remembered = {entry.client_id: entry.until for entry in world.grant.status.ended_keys if entry.until > world.now}
    refused = {entry.client_id for entry in world.api.status.revoked_keys} if world.api is not None else set()
    ended = dict.fromkeys(gone, last_token_expires(world.platform, world.now)) | remembered
    return {client_id: until for client_id, until in ended.items() if client_id not in refused}


def _report(key: Key) -> Manifest:
    report = {
        "clientId": key.client_id,
        "state": str(KeyState.ACTIVE if key.retires_at is None else KeyState.RETIRING),
        "issuedAt": timestamp(key.issued_at),
    }
    return report if key.retires_at is None else {**report, "retiresAt": timestamp(key.retires_at)}


def _instead_of(old: GrantApproval | None, new: GrantApproval | None) -> Manifest | None:
    """The patch that leaves nothing of the old decision: a merge patch keeps what it doesn't name."""
    if new is None:
        return None
    return _replacing(_written(old) if old is not None else {}, _written(new))


def _replacing(old: Manifest, new: Manifest) -> Manifest:
    gone: dict[str, Any] = dict.fromkeys(old.keys() - new.keys())
    return gone | {
        field: _replacing(old[field], value) if isinstance(value, dict) and isinstance(old.get(field), dict) else value
        for field, value in new.items()
    }


def _written(approval: GrantApproval) -> Manifest:
    written: Manifest = {
        "decision": str(approval.decision),
        "by": approval.by,
        "at": timestamp(approval.at),
        "message": approval.message,
        "rule": str(approval.rule) if approval.rule is not None else None,
        "terms": approval.terms.as_manifest() if approval.terms is not None else None,
    }
    return {field: value for field, value in written.items() if value is not None}
