"""Has the issuer sign with a new key, and no token be refused for that: `python -m conecta_operator.signing_key`.

For the platform team, run where the operator runs. Ended halfway, it goes on where it was when it is run again.
docs/how-to/signing-keys.md says when, and what to see to.
"""

import asyncio
import base64
import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import CONECTA_API, CONFIG_MAP, MANAGED_BY
from conecta_operator.api.settings import Platform
from conecta_operator.apply.hydra import HydraIssuer, Jwk
from conecta_operator.apply.kubernetes import KubernetesCluster
from conecta_operator.errors import OperatorError
from conecta_operator.observability import logs
from conecta_operator.plan import keepers
from conecta_operator.plan.signing_rotation import key_id, knows, outlived, to_go_on_with
from conecta_operator.settings import Settings, WrongSettings

__all__ = ["IN_USE", "UPCOMING", "main", "rotate"]

logger = logging.getLogger("conecta_operator.signing_key")

IN_USE: Final = "hydra.jwt.access-token"
"""Hydra's set of keys that sign access tokens."""
UPCOMING: Final = "conecta.next"
"""A set that Hydra publishes with the others (`webfinger.jwks.broadcast_keys`), and signs nothing with. What it holds
is used next, or in use already."""
KEY_BITS: Final = 2048
PATIENCE: Final = timedelta(minutes=15)
"""For the operator to bring the key into use; it may first have to finish with the change before."""
_BETWEEN_LOOKS: Final = 1.0


async def rotate(cluster: KubernetesCluster, issuer: HydraIssuer, platform: Platform) -> str:
    """Publish a key, wait until the gateway knows it, sign with it. Yields its `kid`.

    Raises OperatorError, in words for people: IssuerUnavailable, ClusterUnavailable, or that the key doesn't arrive.
    """
    upcoming = await _upcoming(issuer)
    kid = str(upcoming["kid"])
    logger.info("key %s is published; waiting until the gateway knows it", kid)
    await _known_everywhere(cluster, platform, kid)
    await issuer.put_signing_key(IN_USE, upcoming)
    logger.info("tokens are signed with key %s", kid)
    for former in outlived(await issuer.signing_keys(IN_USE), datetime.now(UTC)):
        await issuer.remove_signing_key(IN_USE, former)
        logger.info("key %s is taken out: the last of its tokens has expired", former)
    return kid


async def _upcoming(issuer: HydraIssuer) -> Jwk:
    """The key that is published to be used next; the set of those is never empty, else Hydra would fill it."""
    published = await issuer.signing_keys(UPCOMING)
    begun = to_go_on_with(published, await issuer.signing_keys(IN_USE), datetime.now(UTC))
    if begun is not None:
        return begun
    made = _new_key(key_id(datetime.now(UTC)))
    await issuer.put_signing_key(UPCOMING, made)
    for former in published:
        await issuer.remove_signing_key(UPCOMING, str(former["kid"]))
    return made


async def _known_everywhere(cluster: KubernetesCluster, platform: Platform, kid: str) -> None:
    clock = asyncio.get_running_loop()
    deadline = clock.time() + PATIENCE.total_seconds()
    while obstacle := await _obstacle(cluster, platform, kid):
        if clock.time() > deadline:
            raise OperatorError(f"key {kid}: {obstacle}. Nothing has changed for tokens; run this again")
        await asyncio.sleep(_BETWEEN_LOOKS)


async def _obstacle(cluster: KubernetesCluster, platform: Platform, kid: str) -> str | None:
    """What stands between a key and its use for signing, in words for people."""
    found = {key: await cluster.get(key) for key in keepers.objects_of_keepers(platform)}
    in_use = keepers.jwks_in_use({key: manifest for key, manifest in found.items() if manifest is not None})
    if in_use is None or not knows(in_use, kid):
        return (
            "the operator has not brought it into use. Does it run, does the gateway accept the SecurityPolicies "
            f"{' and '.join(keepers.KEEPERS)}, and does the issuer publish the set {UPCOMING}?"
        )
    apis = [ConectaApi.parse(manifest) for manifest in await cluster.list(CONECTA_API)]
    copies = await cluster.list(CONFIG_MAP, labels={"app.kubernetes.io/managed-by": MANAGED_BY})
    late = keepers.late(copies, keepers.served_namespaces(apis), in_use, datetime.now(UTC))
    return f"these namespaces have just got it, or not yet: {', '.join(late)}" if late else None


def _new_key(kid: str) -> dict[str, Any]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS).private_numbers()
    numbers = {
        "n": private.public_numbers.n, "e": private.public_numbers.e, "d": private.d, "p": private.p, "q": private.q,
        "dp": private.dmp1, "dq": private.dmq1, "qi": private.iqmp,
    }  # fmt: skip
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid} | {
        name: _base64url(number) for name, number in numbers.items()
    }


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


async def _run(settings: Settings) -> None:
    issuer = HydraIssuer(
        admin_url=settings.issuer_admin_url, public_url=settings.issuer_public_url, ca_file=settings.issuer_ca_file
    )
    async with KubernetesCluster() as cluster, issuer:
        await rotate(cluster, issuer, settings.platform())


def main() -> int:
    """Yield the exit code: 0 when tokens are signed with a new key, 1 when not, 2 for wrong settings."""
    try:
        settings = Settings.load()
    except WrongSettings as wrong:
        sys.stderr.write(f"The operator's settings are wrong:\n{wrong}\n")
        return 2
    logs.set_up(settings.log_level)
    try:
        asyncio.run(_run(settings))
    except OperatorError as error:
        logger.critical("the signing key has not been changed: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
