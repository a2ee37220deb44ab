"""The environment file: for any shell, quoted, and harmless when sourced again."""

import subprocess
from pathlib import Path

from sandbox.environment import program_environment, shell_script, variables
from sandbox.layout import Layout

LAYOUT = Layout(Path("/srv/a clone"))


def sourced(script: str, times: int) -> dict[str, str]:
    shell = ["sh", "-eu", "-c", f"{script * times}\nenv -0"]
    done = subprocess.run(shell, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    return dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)


def test_it_exports_what_users_need() -> None:
    shown = sourced(shell_script(variables(LAYOUT), LAYOUT.bin), 1)
    assert shown["KUBECONFIG"] == "/srv/a clone/.sandbox/kubeconfig"
    assert shown["CONECTA_CA"] == "/srv/a clone/.sandbox/pki/ca.crt"
    assert shown["CONECTA_GATEWAY_URL"] == "https://localhost:10443"
    assert shown["PATH"] == "/srv/a clone/.sandbox/bin:/usr/bin:/bin"


def test_sourced_again_it_changes_nothing() -> None:
    script = shell_script(variables(LAYOUT), LAYOUT.bin)
    assert sourced(script, 1) == sourced(script, 3)


def test_programs_that_we_start_see_the_same() -> None:
    environment = program_environment(LAYOUT)
    assert variables(LAYOUT).items() <= environment.items()
    assert environment["PATH"].startswith("/srv/a clone/.sandbox/bin:")
