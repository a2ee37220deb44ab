"""requests-oauthlib as a receiver's application would use it."""

import json
import os
import sys
from typing import Any

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "basic": {"include_client_id": False},
    "body": {"include_client_id": True},
}


def call() -> dict[str, object]:
    """The answer to one call with a token, or the word by which the issuer refused one."""
    given = os.environ
    session = OAuth2Session(client=BackendApplicationClient(client_id=given["CLIENT_ID"]))
    session.verify = given["CA_FILE"]
    try:
        session.fetch_token(
            given["TOKEN_URL"],
            client_id=given["CLIENT_ID"],
            client_secret=given["CLIENT_SECRET"],
            **WAYS[given["CLIENT_AUTH"]],
        )
    except OAuth2Error as refused:
        return {"error": refused.error}
    answer = session.get(given["CALL_URL"], headers={"x-cpf-usuario": given["CPF"]}, timeout=10)
    return {"status": answer.status_code, "body": answer.json()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(call()))
