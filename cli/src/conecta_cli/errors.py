"""Everything that can go wrong, each in one line for whoever typed the command.

CliError
├─ UsageError          the command line makes no sense (exit code 2)
├─ Unreachable         there is no access to the API server, or no answer from it
├─ ServerRefused       the API server answers, but with a refusal, in its own words
│  ├─ Forbidden        we lack the rights, or a policy denies it
│  ├─ NotFound         the object, or its kind, doesn't exist
│  └─ Conflict         somebody changed the object since it was read
├─ TokenRefused        the token endpoint gives no token
└─ NotPossible         the object is in no state for what is asked
"""

from typing_extensions import override

__all__ = [
    "CliError",
    "Conflict",
    "Forbidden",
    "NotFound",
    "NotPossible",
    "ServerRefused",
    "TokenRefused",
    "Unreachable",
    "UsageError",
]


class CliError(Exception):
    """Root of all errors that are raised on purpose. Its text is shown: never a secret, never a token."""


class UsageError(CliError):
    """Somebody typed what can't be meant."""


class Unreachable(CliError):
    """No kubeconfig that works, no connection, or an answer that is none."""


class ServerRefused(CliError):
    """What the API server says, and its reason in one word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    @override
    def __str__(self) -> str:
        return f"the API server says {self.reason}: {self.message}"


class Forbidden(ServerRefused):
    """We may not."""


class NotFound(ServerRefused):
    """It isn't there."""


class Conflict(ServerRefused):
    """It isn't what it was."""


class TokenRefused(CliError):
    """The issuer, or the way to it, gave no token."""


class NotPossible(CliError):
    """Nothing was changed, because it would not do what was meant."""
