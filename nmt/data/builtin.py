"""The built-in corpus: 30,000 generated German-English pairs, and a test set written by hand (`natural`).

It is a demonstration corpus for machines without network. `tools/builtin_corpus` generates the file beside this one.
"""

from __future__ import annotations

import lzma
from functools import cache
from pathlib import Path
from typing import Final

from nmt.errors import UserError

LANGUAGES: Final = ("de", "en")
SPLITS: Final = ("train", "valid", "test", "natural")
FILE: Final = Path(__file__).with_suffix(".tsv.xz")
"""Lines of a split's name, the German and the English sentence."""


def pairs(split: str, source: str = "de", target: str = "en", count: int | None = None) -> list[tuple[str, str]]:
    """The first ``count`` sentence pairs of a split, by default all."""
    if split not in SPLITS:
        raise UserError(f"data: the built-in corpus has no split {split!r}; it has {', '.join(SPLITS)}")
    for key, language in (("data.source", source), ("data.target", target)):
        if language not in LANGUAGES:
            raise UserError(f"{key}: the built-in corpus has no language {language!r}; it has {', '.join(LANGUAGES)}")
    if source == target:
        raise UserError(
            f"data.target: expected another language than data.source, found {target!r} for both; "
            "the built-in corpus has de and en"
        )
    found = _splits()[split][:count]
    return found if source == "de" else [(english, german) for german, english in found]


@cache
def _splits() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {split: [] for split in SPLITS}
    with lzma.open(FILE, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            split, german, english = line.rstrip("\n").split("\t")
            found[split].append((german, english))
    return found
