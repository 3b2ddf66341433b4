"""Text that was not translated: words of the source that stand in the target as they are."""

from __future__ import annotations

RUN = 4
"""Fewest words in a row that names alone seldom make."""
WHOLE = 3
"""Fewest words of a text that is the source from end to end."""


def copied(source: str, target: str) -> str | None:
    """The first words in a row, each with a letter in it, that stand on both sides; None for what names and numbers explain.

    Words are what white space separates, so of a language written without it only a whole text of several words is found.
    """
    ours, theirs = target.split(), source.split()
    if ours == theirs and sum(map(_spelled, ours)) >= WHOLE:
        return target
    known = {tuple(theirs[start : start + RUN]) for start in range(len(theirs) - RUN + 1)}
    for start in range(len(ours) - RUN + 1):
        words = tuple(ours[start : start + RUN])
        if words in known and all(map(_spelled, words)):
            return " ".join(words)
    return None


def _spelled(word: str) -> bool:
    return any(map(str.isalpha, word))
