"""What a page points at exists."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import HISTORY, PAGES, ROOT, anchors, name, prose

_LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)|(?:src|href)=\"([^\"]+)\"")
_PATH = re.compile(r"\b(?:nmt|tests|tools|docs|recipes)/[\w./-]*[\w/]")
_IN_CODE = re.compile(r"`([^`\n]+)`")


def missing(page: Path) -> list[str]:
    """The links of a page to a file or a heading of the repository that does not exist."""
    links = ["".join(found) for found in _LINK.findall(prose(page))]
    return [link for link in links if not re.match(r"\w+:", link) and not _exists(page, link)]


def _exists(page: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert missing(page) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY], ids=name)
def test_every_path_of_the_repository_that_a_page_names_exists(page: Path) -> None:
    named = {path for span in _IN_CODE.findall(prose(page)) for path in _PATH.findall(span) if "NAME" not in path}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_every_path_in_the_comments_of_a_recipe_exists(recipe: Path) -> None:
    comments = "".join(line.partition("#")[2] for line in recipe.read_text(encoding="utf-8").splitlines(True))
    assert [path for path in _PATH.findall(comments) if not (ROOT / path).exists()] == []


def test_a_link_to_a_missing_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One heading: its `name`\n[good](#one-heading-its-name) [bad](#other) [gone](no.md) ![x](no.png)\n"
    )
    assert missing(page) == ["#other", "no.md", "no.png"]
