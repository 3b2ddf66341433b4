"""Sentence pairs: two lists of the same length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from nmt.faults import InputFault


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, line by line; `replaced` counts texts in which invalid UTF-8 became U+FFFD."""

    source: list[str]
    target: list[str]
    replaced: int = 0

    def __post_init__(self) -> None:
        assert len(self.source) == len(self.target), "readers compare the lengths, with the names of the files at hand"

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of both sides; every sentence is preceded by its length, so no two corpora run together."""
        digest = hashlib.sha256()
        for text in (*self.source, *self.target):
            data = text.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def take(self, rows: Sequence[int]) -> Pairs:
        """These rows, in this order; what was replaced is counted where it was read."""
        return Pairs([self.source[row] for row in rows], [self.target[row] for row in rows])


def joined(parts: Iterable[Pairs]) -> Pairs:
    """One after the other."""
    listed = list(parts)
    source = [text for part in listed for text in part.source]
    target = [text for part in listed for text in part.target]
    return Pairs(source, target, sum(part.replaced for part in listed))


def check_languages(source: str, target: str, columns: Iterable[str], where: str) -> None:
    """A fault unless both languages are among the columns, and are two."""
    known = list(columns)
    for key, language in (("data.source", source), ("data.target", target)):
        if language not in known:
            raise InputFault(f"{key}: {where} has no column {language!r}; it has {', '.join(known) or 'none'}")
    if source == target:
        raise InputFault(f"data.target: expected another language than data.source, found {target!r} for both; {where} has {', '.join(known)}")
