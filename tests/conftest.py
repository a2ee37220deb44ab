"""The platform that tests run on: a sandbox of their own, brought up once, in namespaces where it meets no other."""

import os
import sys
from collections.abc import Generator, Iterator

import pytest

from sandbox.down import down
from sandbox.environment import program_environment
from sandbox.errors import SandboxError, tail
from sandbox.isolated import INSIDE
from sandbox.layout import Layout
from sandbox.services import NAMES
from sandbox.steps import Report
from sandbox.up import up


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the platform is marked so that `make test-fast` leaves it out."""
    for item in items:
        if "platform" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.platform)


@pytest.fixture(scope="session")
def platform(pytestconfig: pytest.Config) -> Iterator[Layout]:
    """The running platform, by the paths of its state. This process's environment is that of `.sandbox/env`."""
    if INSIDE not in os.environ:
        pytest.fail("needs the platform: `make test`, or `python -m sandbox isolated -- pytest …`", pytrace=False)
    layout = Layout()
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        report = Report(sys.stdout)
        report.say()
        try:
            up(layout, report)
        except SandboxError as error:
            down(layout, report)
            pytest.fail(f"the platform did not come up:\n{error}", pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in program_environment(layout).items():
            patch.setenv(name, value)
        yield layout
    with capture.global_and_fixture_disabled():
        down(layout, report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure on the platform comes with the end of its services' logs: they are gone when the tests are over."""
    report = yield
    layout = getattr(item, "funcargs", {}).get("platform")
    if report.failed and isinstance(layout, Layout):
        report.sections += [(f"log of {name}", tail(layout.log(name))) for name in NAMES]
    return report
