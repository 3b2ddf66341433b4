"""Where a number comes from: command, commit, versions and kind of machine."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nmt.atomic import JsonObject

PACKAGE = Path(__file__).parent


def origin(command: str, seconds: float) -> JsonObject:
    """The origin of a measurement: command, date, commit, versions, machine and seconds, ready for JSON."""
    import torch

    return {
        "command": command,
        "date": now(),
        **({"commit": found} if (found := commit()) else {}),
        "versions": versions("nmt-recipes", "torch"),
        "machine": {**machine(), "threads": torch.get_num_threads()},
        "seconds": round(seconds, 1),
    }


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of installed packages, by name."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def machine() -> JsonObject:
    """The kind of machine, without anything that names it."""
    import torch

    from nmt.models.device import computes_bf16

    found = {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "bf16": computes_bf16(torch.device("cpu")),
    }
    return found | ({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})


def commit() -> str | None:
    """The commit of this checkout, with ``-dirty`` if the package has uncommitted changes; None outside a checkout."""
    if not (PACKAGE.parent / ".git").exists():  # a repository further up holds an environment, not our sources
        return None
    at, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--", str(PACKAGE))
    return at and f"{at}-dirty" if changed else at


def abbreviated(commit: str) -> str:
    """A commit as it is printed, with its ``-dirty``."""
    at, *dirty = commit.split("-")
    return "-".join([at[:10], *dirty])


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *words], cwd=PACKAGE, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):  # git is not installed, or does not trust the repository
        return None
    return done.stdout.strip()
