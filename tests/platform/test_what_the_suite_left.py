"""What all tests together have left in the audit log: a look back, after all others but what destroys the platform.

It is only as good as what ran before it. A run of a part of the suite that selects this file fails here, and says
which files are missing: no gap passes for a success. Whoever runs a part doesn't select this file; `make test` always
runs it.
"""

from pathlib import Path
from typing import Final

import pytest

from sandbox.layout import Layout
from tests.support.kubectl import get
from tests.support.rights_used import Right, RightsUsed, granted

HERE: Final = Path(__file__)
AFTER: Final = {HERE.name, "test_destroying.py"}
ASKED_FOR_BY_OTHERS: Final = {
    # Never a request of its own: the admission policy conecta-finalizers asks whether the operator has it when it takes
    # its finalizer off, and so does, where it is on, the plugin OwnerReferencesPermissionEnforcement for what it owns.
    Right("conecta.gov.br", "conectaapis/finalizers", "update"),
    Right("conecta.gov.br", "conectagrants/finalizers", "update"),
}


@pytest.fixture(scope="module")
def looked_back(platform: Layout, rights_used: RightsUsed) -> RightsUsed:  # noqa: ARG001 - it has to be up
    rights_used.gather()
    return rights_used


@pytest.fixture(scope="module")
def missing(request: pytest.FixtureRequest) -> list[str]:
    """Files of platform tests of which nothing was selected in this run."""
    ran = {item.path.name for item in request.session.items}
    return sorted(file.name for file in HERE.parent.glob("test_*.py") if file.name not in ran | AFTER)


def test_the_log_was_read_without_a_gap(looked_back: RightsUsed) -> None:
    assert looked_back.gaps == 0
    assert looked_back.used.total() > 0


def test_the_operator_was_never_refused_anything(looked_back: RightsUsed, missing: list[str]) -> None:
    assert looked_back.refused == []
    assert missing == [], "nothing was refused in what was run, but these were not: run `make test`"


def test_the_operator_has_no_right_that_it_does_not_use(looked_back: RightsUsed, missing: list[str]) -> None:
    rights = granted(get("clusterrole", "", "conecta-operator"))
    unused = rights - looked_back.used.keys() - ASKED_FOR_BY_OTHERS
    told = ", ".join(map(str, sorted(unused)))
    assert not unused, f"granted, and not used by any test: {told}; not run: {', '.join(missing) or 'nothing'}"
