"""The sentence splitter on sentences.txt, which holds abbreviations, ordinals, quotations and dates with right cuts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nmt.text.sentences import split_sentences

WRITTEN = Path(__file__).with_name("sentences.txt")
CUT = " | "


def texts() -> Iterator[tuple[str, list[str]]]:
    """The language and the sentences of each text."""
    language = ""
    for line in WRITTEN.read_text(encoding="utf8").splitlines():
        if line.startswith("["):
            language = line.strip("[]")
        elif not line.startswith("#"):
            yield language, line.split(CUT)


def ends(sentences: list[str]) -> set[int]:
    """Where a text is cut, in characters but spaces."""
    lengths = [len("".join(sentence.split())) for sentence in sentences]
    return {sum(lengths[:count]) for count in range(1, len(sentences))}


def figures(language: str | None = None) -> tuple[int, int, int]:
    """Right cuts that were found, cuts found, right cuts; of one language or all."""
    right = found = wanted = 0
    for each, sentences in texts():
        if language in (None, each):
            expected, cuts = ends(sentences), ends(list(split_sentences(" ".join(sentences))))
            right, found, wanted = right + len(expected & cuts), found + len(cuts), wanted + len(expected)
    return right, found, wanted


def test_there_are_five_hundred_sentences() -> None:
    assert sum(len(sentences) for _, sentences in texts()) >= 500


@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_nearly_all_cuts_are_right_and_nearly_all_right_cuts_are_made(language: str) -> None:
    right, found, wanted = figures(language)
    assert right / found >= 0.97, f"precision in {language}: {right} of {found}"
    assert right / wanted >= 0.97, f"recall in {language}: {right} of {wanted}"


@pytest.mark.parametrize("unit", ["!", ". ", '?"', "a. ", "1. ", ". »", "...", "\u202f»", "Z.", ".\u3000", "( ", "。"])
def test_hostile_lines_lose_nothing(unit: str) -> None:
    line = unit * 50_000
    assert "".join(split_sentences(line)) == line
