"""When an API goes away in spite of the grants that live on it.

Deletion waits for them, in the foreground as in the background. The ways out: an annotation, and the end of the
provider's namespace.
"""

from typing import Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import GROUP, Manifest

__all__ = ["LIVE_GRANTS_FINALIZER", "WITHDRAW_ANNOTATION", "is_leaving"]

LIVE_GRANTS_FINALIZER: Final = f"{GROUP}/live-grants"
WITHDRAW_ANNOTATION: Final = f"{GROUP}/withdraw-grants"


def is_leaving(api: ConectaApi | None, namespace: Manifest | None) -> bool:
    """Whether every right to call the API ends, because it is gone or goes without waiting."""
    if api is None or namespace is None:
        return True
    if namespace["metadata"].get("deletionTimestamp"):
        return True
    metadata = api.metadata
    return metadata.deletion_timestamp is not None and metadata.annotations.get(WITHDRAW_ANNOTATION) == "true"
