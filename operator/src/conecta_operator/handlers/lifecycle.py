"""How kopf is run: as an informer and nothing else. Reasons and measurements: docs/adr and the tests of this room."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import kopf

from conecta_operator.api.objects import GROUP, Kind
from conecta_operator.apply.access import ApiServer
from conecta_operator.apply.cluster import Cluster
from conecta_operator.errors import OperatorError
from conecta_operator.reconcile.mapping import WATCHED

__all__ = ["Access", "EndlessBackoffs", "connection", "kopf_settings", "until_served"]

logger = logging.getLogger(__name__)

Access = Callable[[], Awaitable[ApiServer]]
"""Says where the API server is and who we are there, as of now."""

_LONGEST_BACKOFF: Final = 2.0
"""Ten watches that ask every two seconds are no burden, and after an outage nothing goes unseen for longer."""
_BETWEEN_LOOKS: Final = 2.0
_NOTHING: Final = {f"{GROUP}/matches": "nothing"}
"""Labels that no object has: asks whether a kind is served without reading its objects."""


class EndlessBackoffs:
    """Seconds to wait before each further attempt of a request, for ever.

    Kopf's default gives up after about a minute and forgets the event; an outage of the API server may last longer.
    """

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.5, 1.0), itertools.repeat(_LONGEST_BACKOFF))


def kopf_settings() -> kopf.OperatorSettings:
    """Watch, index, call handlers: no write of any kind, and no request that our role doesn't allow."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.networking.request_timeout = 60.0
    settings.networking.connect_timeout = 10.0
    settings.networking.error_backoffs = EndlessBackoffs()
    # The API server ends a watch after 5 minutes, and sends a bookmark each minute of silence: a stream that is silent
    # for longer than 70 s is dead, and one that outlives its end by a minute, too.
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 360.0
    settings.watching.connect_timeout = 10.0
    settings.watching.inactivity_timeout = 70.0
    return settings


async def connection(access: Access, attempt: int = 0) -> kopf.ConnectionInfo:
    """The operator's own access to the API server, in kopf's form.

    Kopf asks for it again when the API server has refused it (401), which may happen while that starts. It ends the
    operator if it is given the same again, so that the number of the attempt makes each another one.
    """
    if attempt:
        logger.warning("the API server refuses the operator's credentials; they are read again")
        await asyncio.sleep(_BETWEEN_LOOKS)
    server = await _readable(access)
    return kopf.ConnectionInfo(
        priority=attempt,
        server=server.url,
        ca_path=server.ca_file,
        insecure=server.is_unverified,
        token=server.token,
        certificate_path=server.certificate_file,
        private_key_path=server.private_key_file,
        proxy_url=server.proxy,
    )


async def _readable(access: Access) -> ApiServer:
    while True:
        try:
            return await access()
        except OperatorError as error:
            logger.warning("waiting for credentials: %s", error)
            await asyncio.sleep(_BETWEEN_LOOKS)


async def until_served(cluster: Cluster) -> None:
    """Wait until the API server serves all that is watched, and to the operator.

    Kopf looks only at its start which kinds there are. A kind whose definition comes later would never be watched.
    """
    while obstacles := [obstacle for kind in WATCHED if (obstacle := await _obstacle(cluster, kind))]:
        logger.warning("waiting until everything can be watched: %s", "; ".join(obstacles))
        await asyncio.sleep(_BETWEEN_LOOKS)


async def _obstacle(cluster: Cluster, kind: Kind) -> str | None:
    try:
        await cluster.list(kind, labels=_NOTHING)
        is_offered = await cluster.offers(kind)
    except OperatorError as error:
        return f"{kind}: {error}"
    return None if is_offered else f"{kind}: the API server does not name it among those that it serves"
