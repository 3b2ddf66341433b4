"""Generated pages are what their generators print."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.docs.pages import ROOT
from tools import reference


@pytest.mark.parametrize(
    ("page", "command"),
    [("docs/claims.md", ["tools/claims.py"]), ("docs/reliability.md", ["-m", "tools.checks.report"])],
)
def test_a_generated_page_is_what_its_command_prints(page: str, command: list[str]) -> None:
    printed = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed == (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", reference.pages())
def test_a_reference_page_is_what_the_code_says(page: str) -> None:
    """After a change of a command or a key: python -m tools.reference."""
    assert reference.pages()[page] == (ROOT / "docs" / page).read_text(encoding="utf-8")
