"""`why`."""

from conecta_cli.arguments import Why
from conecta_cli.commands.desk import Desk
from conecta_cli.decisions.chain import Evidence, Missing, Seen
from conecta_cli.decisions.grants import api_key
from conecta_cli.decisions.links import secret_name
from conecta_cli.decisions.why import chain
from conecta_cli.errors import Forbidden, NotFound
from conecta_cli.output.explanation import explained, explanation
from conecta_cli.output.formats import Output
from conecta_cli.output.objects import name_of, value
from conecta_operator.api.objects import HTTP_ROUTE, SECRET, SECURITY_POLICY, ObjectKey

__all__ = ["why"]


def why(desk: Desk, command: Why) -> None:
    """Look at all that a call depends on, as far as the caller may, and say what is wrong first."""
    grant = desk.server.get(desk.key(command.grant))
    api = api_key(grant)
    evidence = Evidence(
        grant=grant,
        api=_look(desk, api),
        secret=_look(desk, ObjectKey(SECRET, grant["metadata"]["namespace"], secret_name(grant))),
        route=_look(desk, ObjectKey(HTTP_ROUTE, api.namespace, api.name)),
        policy=_look(desk, ObjectKey(SECURITY_POLICY, api.namespace, api.name)),
        now=desk.clock(),
    )
    links = chain(evidence)
    match desk.options.output:
        case Output.TABLE:
            desk.say(explained(evidence, links))
        case Output.NAME:
            desk.say(name_of(grant))
        case output:
            desk.say(value(explanation(evidence, links), output))


def _look(desk: Desk, key: ObjectKey) -> Seen:
    try:
        return desk.server.get(key)
    except Forbidden:
        return Missing.FORBIDDEN
    except NotFound:
        return Missing.ABSENT
