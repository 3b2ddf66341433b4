"""A clean clone installs and passes its tests, with pinned and with newest versions, by `tools/checks/newest.sh`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools.checks.check import Trial

SCRIPT = Path(__file__).with_name("newest.sh")
VERSIONS = ("pinned", "newest")


def trials(count: int) -> Iterator[Trial]:
    """The pinned versions, then the newest."""
    for number in range(count):
        versions = VERSIONS[number % len(VERSIONS)]
        status = subprocess.run([SCRIPT, versions], check=False).returncode
        yield Trial(f"{versions} versions", f"exit {status}; see the output above" if status else None)
