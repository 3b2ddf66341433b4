"""Files of results: written whole or not at all, named after what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt.atomic import write_file
from nmt.errors import RunError


def write_lines(path: Path, hypotheses: Sequence[str]) -> None:
    """One hypothesis a line, as the command line of sacrebleu reads them."""
    for number, line in enumerate(hypotheses, 1):
        if "\n" in line:
            raise RunError(f"hypothesis {number} holds a line feed: in {path} it would shift all that follow")
    write_file(path, "".join(f"{line}\n" for line in hypotheses))


def settings_name(search: Mapping[str, Any]) -> str:
    """Search settings as part of a file name, such as ``beam5.length_penalty0.6``."""
    name = ".".join(f"{key}{value}" for key, value in search.items() if value is not None)
    return re.sub(r"[^\w.+-]", "_", name) or "default"
