"""`token`."""

from typing import Any

from conecta_cli.arguments import Token
from conecta_cli.commands.desk import Desk
from conecta_cli.decisions.grants import shown
from conecta_cli.decisions.links import secret_name, text_of
from conecta_cli.errors import NotFound, NotPossible
from conecta_cli.output.formats import Output
from conecta_cli.output.objects import value
from conecta_cli.server.tokens import Credential, fetch
from conecta_operator.api.objects import SECRET, Manifest, ObjectKey

__all__ = ["token"]


def token(desk: Desk, command: Token) -> None:
    """Get a token as the application would, with the key in its Secret."""
    grant = desk.server.get(desk.key(command.grant))
    secret = _secret(desk, grant)
    url = (grant.get("status") or {}).get("tokenUrl") or text_of(secret, "token-uri")
    identifier, password = text_of(secret, "client-id"), text_of(secret, "client-secret")
    if not (url and identifier and password):
        raise _no_key(grant)
    credential = Credential(identifier, password)
    answer = fetch(url, credential, ca_file=command.ca_file, timeout=desk.options.request_timeout)
    desk.say(_report(desk.options.output, answer, grant, quiet=command.quiet))


def _report(output: Output, answer: dict[str, Any], grant: Manifest, *, quiet: bool) -> str:
    if quiet:
        answer = {field: part for field, part in answer.items() if field in {"expires_in", "token_type"}}
    if output is not Output.TABLE:
        return value({"works": True, **answer} if quiet else answer, output)
    if quiet:
        return f"the key of {shown(grant)} works: it gets tokens for {answer.get('expires_in')} s"
    return str(answer["access_token"])


def _secret(desk: Desk, grant: Manifest) -> Manifest:
    try:
        return desk.server.get(ObjectKey(SECRET, grant["metadata"]["namespace"], secret_name(grant)))
    except NotFound:
        raise _no_key(grant) from None


def _no_key(grant: Manifest) -> NotPossible:
    name = shown(grant)
    return NotPossible(f"grant {name} has no key in Secret {secret_name(grant)}; kubectl conecta why {name} says why")
