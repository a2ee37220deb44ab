"""Authlib as a receiver's application would use it."""

import json
import os
import sys

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

WAYS = {"default": None, "basic": "client_secret_basic", "body": "client_secret_post"}


def call() -> dict[str, object]:
    """The answer to one call with a token, or the word by which the issuer refused one."""
    given = os.environ
    session = OAuth2Session(
        given["CLIENT_ID"], given["CLIENT_SECRET"], token_endpoint_auth_method=WAYS[given["CLIENT_AUTH"]]
    )
    session.verify = given["CA_FILE"]
    try:
        session.fetch_token(given["TOKEN_URL"], grant_type="client_credentials")
    except OAuthError as refused:
        return {"error": refused.error}
    answer = session.get(given["CALL_URL"], headers={"x-cpf-usuario": given["CPF"]}, timeout=10)
    return {"status": answer.status_code, "body": answer.json()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(call()))
