"""What the checkup of a corpus found: how many sentences of a split have a fault, and whether that is more than may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

LIMITS = {
    "blank": 0.0,
    "duplicates": 0.1,
    "overlap": 0.01,
    "near overlap": 0.02,
    "length ratio": 0.01,
    "untranslated": 0.01,
    "tokenised": 0.1,
    "damaged": 0.001,
    "markup": 0.01,
    "script": 0.01,
    "language": 0.02,
    "unknown characters": 0.01,
}
"""Share of a split's sentences that may have each fault. What is known of good corpora stands in docs/log.md."""
EXAMPLES = 3
WIDTH = 120
"""Most characters of an example."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault in one split; ``of`` are the sentences that were looked at."""

    check: str
    split: str
    count: int
    of: int
    limit: float
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Of the sentences that were looked at."""
        return self.count / self.of if self.of else 0.0

    @property
    def problem(self) -> bool:
        """Whether there are more than may be."""
        return self.share > self.limit

    def as_json(self) -> dict[str, Any]:
        """The fields, `share` and `problem`, ready for JSON."""
        return {**asdict(self), "examples": list(self.examples), "share": self.share, "problem": self.problem}


Found = tuple[str, str, Sequence[str], int]
"""A fault's name in `LIMITS`, the split, the sentences that have it, and how many were looked at."""


def judged(found: Iterable[Found], limits: dict[str, float]) -> list[Finding]:
    """Findings, held against the limits."""
    return [
        Finding(
            check=check,
            split=split,
            count=len(faulty),
            of=of,
            limit=limits[check],
            examples=tuple(map(shown, faulty[:EXAMPLES])),
        )
        for check, split, faulty, of in found
    ]


def shown(text: str) -> str:
    """An example on one line, what a terminal would obey or not show written out."""
    printable = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return printable if len(printable) <= WIDTH else f"{printable[: WIDTH - 3]}..."
