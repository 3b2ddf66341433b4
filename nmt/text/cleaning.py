"""What is left out of training, and why. Pairs for evaluation are never touched."""

from __future__ import annotations

from collections import Counter

from nmt.text.pairs import Pairs

REASONS = {
    "empty": "empty",
    "long": "over-long",
    "ratio": "by length ratio",
    "overlap": "of the test set",
    "duplicates": "duplicates",
}


def clean(
    pairs: Pairs, test: Pairs | None, *, max_words: int, max_ratio: float | None, duplicates: str, overlap: str
) -> tuple[Pairs, dict[str, int]]:
    """The pairs to train on, in order, and how many were left out for each of `REASONS`, the first that applies."""
    counts: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
    sources = frozenset(test.source) if test and overlap != "keep" else frozenset[str]()
    targets = frozenset(test.target) if test and overlap == "either" else frozenset[str]()
    seen: set[tuple[str, str]] = set()
    kept = []
    for row, pair in enumerate(zip(pairs.source, pairs.target, strict=True)):
        tested = pair[0] in sources or pair[1] in targets
        reason = _unfit(*pair, max_words, max_ratio) or ("overlap" if tested else "duplicates" if pair in seen else None)
        if reason:
            counts[reason] += 1
            continue
        kept.append(row)
        if duplicates == "drop":
            seen.add(pair)
    return pairs.take(kept), dict(counts)


def report(counts: dict[str, int], kept: int) -> str:
    """One line: what was kept of how many, and what was left out."""
    left_out = ", ".join(f"{counts[reason]:,} {words}" for reason, words in REASONS.items())
    return f"training pairs: {kept:,} of {kept + sum(counts.values()):,} kept; left out: {left_out}"


def _unfit(source: str, target: str, max_words: int, max_ratio: float | None) -> str | None:
    fewer, more = sorted((len(source.split()), len(target.split())))
    if fewer == 0:
        return "empty"
    if more > max_words:
        return "long"
    return "ratio" if max_ratio is not None and more > max_ratio * fewer + 5 else None
