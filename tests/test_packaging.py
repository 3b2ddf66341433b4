"""What is installed: every data file of the package, under one version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_data_file_of_the_package_matches_a_pattern_of_package_data_and_every_pattern_a_file() -> None:
    package = ROOT / "nmt"
    data = {
        path
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "README.md"
    }
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["nmt"]
    matched = {pattern: set(package.glob(pattern)) & data for pattern in patterns}
    assert data - set().union(*matched.values()) == set()
    assert [pattern for pattern, found in matched.items() if not found] == []


def test_the_version_is_the_same_in_pyproject_the_changelog_and_the_citation() -> None:
    version = PROJECT["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    released = [title for title in re.findall(r"^## (.+)$", changelog, re.MULTILINE) if title != "Unreleased"]
    assert released[0] == version
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [version]


def test_pre_commit_runs_the_linters_of_ci() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    ci = re.findall(r"^\t\$\(BIN\)/(.+)$", makefile.partition("\nci:")[2], re.MULTILINE)
    hooks = re.findall(r"^ +entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert hooks == ci
