"""What every command works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from conecta_cli.arguments import GrantName, Options
from conecta_cli.errors import UsageError
from conecta_cli.output.formats import Output
from conecta_cli.output.objects import name_of, written
from conecta_cli.server.objects import Server
from conecta_operator.api.objects import CONECTA_GRANT, Manifest, ObjectKey

__all__ = ["Desk"]


@dataclass(frozen=True)
class Desk:
    """The API server, what was asked for, and where answers and remarks go."""

    server: Server
    options: Options
    namespaces: tuple[str, ...]
    """Those that the kubeconfig names, the context's first."""
    answers: TextIO
    remarks: TextIO
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    @property
    def namespace(self) -> str:
        """Where objects are that were named without a namespace."""
        return self.options.namespace or self.namespaces[0]

    def key(self, grant: GrantName) -> ObjectKey:
        """The grant that was named."""
        asked = self.options.namespace
        if grant.namespace is not None and asked is not None and grant.namespace != asked:
            raise UsageError(f"the grant is named with namespace {grant.namespace}, and --namespace says {asked}")
        return ObjectKey(CONECTA_GRANT, grant.namespace or self.namespace, grant.name)

    def say(self, text: str) -> None:
        """Answer."""
        print(text, file=self.answers, flush=True)

    def remark(self, text: str) -> None:
        """Say something beside the answer, which programs don't read."""
        print(text, file=self.remarks, flush=True)

    def done(self, grant: Manifest, what: str) -> None:
        """Answer with a grant as it is now, or in a line what was done with it."""
        is_for_people = self.options.output is Output.TABLE
        self.say(f"{name_of(grant)} {what}" if is_for_people else written(grant, self.options.output))
