"""`grants`."""

from collections.abc import Sequence

from conecta_cli.arguments import Grants
from conecta_cli.commands.desk import Desk
from conecta_cli.decisions.grants import api_key, waits_for_decision
from conecta_cli.errors import Forbidden, NotPossible
from conecta_cli.output.formats import Output
from conecta_cli.output.objects import listed
from conecta_cli.output.table import grants_table
from conecta_operator.api.agency import AGENCY_LABEL
from conecta_operator.api.objects import CONECTA_GRANT, NAMESPACE, Manifest

__all__ = ["grants"]


def grants(desk: Desk, command: Grants) -> None:
    """List what the caller may see, and say when that may not be all."""
    visible = _visible(desk) if command.everywhere else desk.server.list(CONECTA_GRANT, desk.namespace)
    found = sorted(
        (grant for grant in visible if _is_wanted(grant, command)),
        key=lambda grant: (grant["metadata"]["namespace"], grant["metadata"]["name"]),
    )
    if desk.options.output is not Output.TABLE:
        text = listed(found, desk.options.output)
        if text:
            desk.say(text)
    elif found:
        desk.say(grants_table(found, with_namespace=command.everywhere, now=desk.clock()))
    else:
        where = "" if command.everywhere else f" in {desk.namespace} namespace"
        desk.remark(f"No resources found{where}.")


def _is_wanted(grant: Manifest, command: Grants) -> bool:
    key = api_key(grant)
    return (command.api is None or command.api == (key.namespace, key.name)) and (
        not command.pending or waits_for_decision(grant)
    )


def _visible(desk: Desk) -> list[Manifest]:
    try:
        return desk.server.list(CONECTA_GRANT)
    except Forbidden as error:
        refusal = error
    readable: list[str] = []
    found: list[Manifest] = []
    for namespace in _candidates(desk):
        try:
            found += desk.server.list(CONECTA_GRANT, namespace)
        except Forbidden:
            continue
        readable.append(namespace)
    if not readable:
        raise NotPossible(f"{refusal}; name a namespace that you may read with -n")
    desk.remark(f"You may not list grants of all namespaces; these are of {', '.join(readable)}.")
    return found


def _candidates(desk: Desk) -> Sequence[str]:
    """Namespaces of agencies, if we may know them, and those that the kubeconfig names."""
    named = desk.namespaces
    try:
        agencies = desk.server.list(NAMESPACE, labels=AGENCY_LABEL)
    except Forbidden:
        return named
    return sorted({*named, *(namespace["metadata"]["name"] for namespace in agencies)})
