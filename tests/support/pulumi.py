"""The stack of the running platform, through the Pulumi CLI, as platform teams have it."""

import subprocess

__all__ = ["pulumi"]


def pulumi(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the CLI on the stack `sandbox` (PULUMI_* come with the `platform` fixture)."""
    done = subprocess.run(  # noqa: PLW1510 - judged below, with its words
        ["pulumi", *arguments, "--stack", "sandbox", "--non-interactive", "--color", "never"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if check and done.returncode:
        raise AssertionError(f"pulumi {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
    return done
