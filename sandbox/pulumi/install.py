"""Puts the language host and the stand-in provider where a Pulumi CLI finds them. For sandboxes only.

Both go into the plugin cache of an own PULUMI_HOME, never on PATH: there Pulumi finds them without a warning and in the
exact version, and a machine that works with the official plugins can never pick these by accident.
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Final

__all__ = ["install"]

ROOT: Final = Path(__file__).resolve().parents[2]

PLUGINS: Final = {
    "language-python-v3.259.0": ("pulumi-language-python", "sandbox.pulumi.language_host"),
    "resource-kubernetes-v4.34.2": ("pulumi-resource-kubernetes", "sandbox.pulumi.server"),
}
"""Folder of each plugin in the cache, its program, and our module. The versions are those of the CLI and of the SDK."""

WRAPPER: Final = """\
#!/bin/sh
# STAND-IN FOR SANDBOXES, not Pulumi's own {name}. Written by sandbox/pulumi/install.py.
exec {python} -P -c {program} "$@"
"""

PROGRAM: Final = "import sys; sys.path.insert(0, {root!r}); from {module} import main; main()"


def install(home: Path) -> None:
    """Write both plugins into the cache of the PULUMI_HOME `home`; what is there already is replaced."""
    for folder, (program, module) in PLUGINS.items():
        plugin = home.resolve() / "plugins" / folder
        plugin.mkdir(parents=True, exist_ok=True)
        _write(plugin / program, module)
        plugin.with_name(f"{folder}.lock").touch()


def _write(path: Path, module: str) -> None:
    program = PROGRAM.format(root=str(ROOT), module=module)
    text = WRAPPER.format(name=path.name, python=shlex.quote(sys.executable), program=shlex.quote(program))
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def main() -> None:
    """Install from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="the PULUMI_HOME that gets both")
    install(parser.parse_args().home)


if __name__ == "__main__":
    main()
