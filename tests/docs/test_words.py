"""Pages use the present names of commands, recipe keys and concepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import HISTORY, PAGES, ROOT, name

OLD = {
    r"nmt probe\b": "nmt experiment",
    r"nmt bottleneck\b": "nmt study",
    r"nmt doctor (?:runs/|RUN)": "nmt check-batching",
    r"\bmodel\.(?:reader|slot)\b|\breader[:=]": "model.attention, model.bottleneck",
    r"\bdata\.(?:pack|prepared)\b|\bpack_growth\b": "data.concatenation, data.cache, training.concatenation_growth",
    r"\b(?:pack|packs|packing|packed|join|joins)\b": "concatenated sentences, one by one",
    r"\b(?:probe|probes)\b": "experiment",
    r"\b(?:facts|ledger|shelf|checkup|panel|crew)\b": "metadata, evaluation log, cache, corpus checks, group, pool",
    r"\b(?:source|target|source and target) pieces\b|\bpieces (?:a|per) second\b": "tokens",
    r"\bInputFault|\bRunFault": "UserError, RunError",
    r"\bnmt[./](?:faults|sharing|probes|studies|bench|pictures|inspection)\b": "the packages in CHANGELOG.md",
}
"""Names of version 0.1.0, and what took their place."""
TEXTS = [page for page in PAGES if page not in HISTORY] + [
    *sorted((ROOT / "recipes").glob("*.yaml")),
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
]


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_no_name_of_an_earlier_version_is_left(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = [(match.group(), new) for old, new in OLD.items() for match in re.finditer(old, text, re.IGNORECASE)]
    assert found == []
