"""Stands in for `go` in tests of the sandbox's tools: installed as an executable beside files that tell it what to do.

version     what `go env` says             calls     every call, one JSON object a line
mode        of builds: good, fail, hang (leaves half an executable), wait (until told to go on), lie (another version)
started     a pipe: a build that hangs or waits writes to it, and holds it open as long as it lives
go-on       a pipe: a waiting build reads it to its end
"""

import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
DAYS = 100_000


def env() -> None:
    """Say where things are, as `go env -json` does."""
    settings = {
        "GOVERSION": (HERE / "version").read_text(),
        "GOCACHE": str(HERE / "objects"),
        "GOMODCACHE": str(HERE / "modules"),
        "GOPROXY": "https://proxy.example",
        "GOFLAGS": "-race",
        "CC": "gcc",
    }
    sys.stdout.write(json.dumps(settings))


def list_packages() -> None:
    """Download two modules and name three packages."""
    sys.stderr.write("go: downloading example.org/a v1.0.0\ngo: downloading example.org/b v1.0.0\n")
    sys.stdout.write("example.org/a\nexample.org/b\n\nexample.org/c\n")


def build() -> None:
    """Write a program that tells its version."""
    target = next(Path(argument[3:]) for argument in sys.argv if argument.startswith("-o="))
    sys.stderr.write("example.org/a\nexample.org/b\n")
    mode = (HERE / "mode").read_text()
    if mode == "fail":
        sys.exit("# example.org/c\nc.go:1:1: undefined: x")
    if mode in {"hang", "wait"}:
        target.write_text("half")
        with (HERE / "started").open("w") as started:
            started.write("started")
            started.flush()
            if mode == "hang":
                time.sleep(DAYS)
            (HERE / "go-on").read_text()
    version = "0.0.1" if mode == "lie" else "1.2.3"
    target.write_text(f"#!/bin/sh\necho demo v{version}\n")
    target.chmod(0o755)


def download() -> None:
    """Name the folder of a module that is there."""
    sys.stdout.write(json.dumps({"Dir": str(HERE / "modules" / "example.org")}))


def main() -> None:
    """Do as `go` would."""
    with (HERE / "calls").open("a") as calls:
        calls.write(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ)}) + "\n")
    {"env": env, "list": list_packages, "build": build, "mod": download}[sys.argv[1]]()


if __name__ == "__main__":
    main()
