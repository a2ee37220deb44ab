"""The writes of one or more fakes in the order in which they happened, and the place where a test breaks them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from conecta_operator.api.objects import ObjectKey

__all__ = ["Journal", "Write"]


@dataclass(frozen=True)
class Write:
    """One call of a protocol's writing method, by its name; the target is an object or a client id."""

    verb: str
    target: ObjectKey | str


def _nothing(_: Write) -> None:
    return


class Journal:
    """Give one to both fakes, and it knows the order of all that a reconcile does.

    `before` and `after` are called around each write. They may raise, which the caller of the fake then sees, or meddle
    with the fakes as another user would. A write that its fake refuses is not one: it calls only `before`.
    """

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.before: Callable[[Write], None] = _nothing
        self.after: Callable[[Write], None] = _nothing

    def fail_at(self, number: int, error: BaseException, *, taken: bool) -> None:
        """Raise once, at the write of that number from now (1 is the next), which was `taken` or was not."""
        last = len(self.writes) + number

        def fail_before(_: Write) -> None:
            if len(self.writes) + 1 == last:
                self.before = _nothing
                raise error

        def fail_after(_: Write) -> None:
            if len(self.writes) == last:
                self.after = _nothing
                raise error

        if taken:
            self.after = fail_after
        else:
            self.before = fail_before

    @contextmanager
    def entry(self, verb: str, target: ObjectKey | str) -> Iterator[None]:
        """For the fakes: what happens within is this write."""
        write = Write(verb, target)
        self.before(write)
        yield
        self.writes.append(write)
        self.after(write)
