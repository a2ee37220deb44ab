"""Everything that can go wrong outside our own reasoning.

OperatorError
├─ TransientError            the world is not ready or failed: retried with backoff, shown as Reconciling
│  ├─ ClusterUnavailable     the API server is away, slow, or refuses us (401, 403, 429, 5xx)
│  ├─ Conflict               somebody changed the object first: read again
│  └─ IssuerUnavailable      the token issuer is away, slow, or answers 5xx
└─ Rejected                  the API server or the issuer refuses what we wrote (400, 422): a bug of
                             ours; retried with backoff and logged

Mistakes of users are no exceptions: `plan` returns them as conditions. Anything else that is raised is a bug.
"""


class OperatorError(Exception):
    """Root of all errors that the operator raises on purpose. Its text is safe to log: never a secret, never a CPF."""


class TransientError(OperatorError):
    """The same attempt may succeed later."""


class ClusterUnavailable(TransientError):
    """The API server did not do what we asked, for a reason that is not in the object."""


class Conflict(TransientError):
    """The object has changed since we read it."""


class IssuerUnavailable(TransientError):
    """The token issuer did not answer, or answered that it can't."""


class Rejected(OperatorError):
    """The object that we wrote is refused as it is."""
