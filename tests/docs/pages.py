"""The pages of the documentation: their text, their headings and their code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("[nrt]*/**/README.md"))
    if path.is_file()
)
"""README.md and its siblings, everything under docs, and the README files of folders."""
HISTORY = {ROOT / "CHANGELOG.md", ROOT / "docs" / "log.md"}
"""Pages that name things as they were called at the time."""

_FENCE = re.compile(r"^(```+|~~~+)")


def name(page: Path) -> str:
    """The page's path from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """The text of a page without its fenced and indented code blocks."""
    return "\n".join(line for line, code in _lines(page) if not code)


def code(page: Path) -> list[str]:
    """The lines of a page's code blocks; a line that ends in a backslash is joined with the next."""
    return "\n".join(line for line, is_code in _lines(page) if is_code).replace("\\\n", " ").splitlines()


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes from a page's headings."""
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Each line of a page, and whether it is code."""
    fence = ""
    blank = True
    block = False
    for line in page.read_text(encoding="utf-8").splitlines():
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and line.startswith(fence) else fence
            if fence:
                yield line, True
        elif found:
            fence = found[1]
        else:
            block = line.startswith("    ") and (blank or block)
            yield line, block
            blank = not line.strip()
