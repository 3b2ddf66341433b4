"""What the checks of a corpus found: findings, their limits, and the report for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, zip_longest

from nmt.atomic import JsonObject
from nmt.data import cleaning
from nmt.data.metadata import CorpusMetadata
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.evaluation.report import Table, text

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
    "other language": 0.02,
    "unknown characters": 0.01,
}
"""Largest acceptable share of sentences with each defect; docs/log.md has the shares of good corpora."""
EXAMPLES = 3
EXAMPLE_WIDTH = 120
"""Most characters of an example."""
_NUMBERS = ("mean", "median", "95 %", "99 %", "longest")

Found = tuple[str, str, Sequence[str], int]
"""A check of `LIMITS`, the split, the sentences with the defect, and the number of sentences checked."""
SIDES = ("source", "target")


def odd_pairs(check: str, splits: Mapping[str, Pairs], odd: Callable[[str, str], object]) -> Iterator[Found]:
    """The pairs of each split for which ``odd(source, target)`` is true."""
    for name, pairs in splits.items():
        both = zip(pairs.source, pairs.target, strict=True)
        yield check, name, [" ||| ".join(pair) for pair in both if odd(*pair)], len(pairs)


def odd_sentences(
    check: str, splits: Mapping[str, Pairs], odd: Mapping[str, Callable[[str], object]]
) -> Iterator[Found]:
    """The sentences of each split and side for which the function of that side is true."""
    for name, pairs in splits.items():
        for side in SIDES:
            sentences = getattr(pairs, side)
            yield check, f"{name} {side}", [text for text in sentences if odd[side](text)], len(sentences)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How many of the ``of`` sentences of a split have a defect."""

    check: str
    split: str
    count: int
    of: int
    limit: float
    examples: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    """Where each example stands, such as `mine.fr:381`; empty texts if that is not known."""

    @property
    def share(self) -> float:
        """Of the sentences that were checked."""
        return self.count / self.of if self.of else 0.0

    @property
    def problem(self) -> bool:
        """Whether the share is above the limit."""
        return self.share > self.limit

    def as_json(self) -> JsonObject:
        """The fields, `share` and `problem`."""
        lists = {"examples": list(self.examples), "places": list(self.places)}
        return {**asdict(self), **lists, "share": self.share, "problem": self.problem}


@dataclass(frozen=True)
class CorpusReport:
    """All findings in a corpus, its metadata and its lengths."""

    metadata: CorpusMetadata
    lengths: list[dict[str, float | str]]
    findings: list[Finding]

    @property
    def problems(self) -> list[Finding]:
        """The findings above their limits."""
        return [finding for finding in self.findings if finding.problem]

    def as_json(self) -> JsonObject:
        """The fields, and the number of problems."""
        return {
            "corpus": self.metadata.as_json(),
            "lengths": self.lengths,
            "findings": [finding.as_json() for finding in self.findings],
            "problems": len(self.problems),
        }


def check_limits(limits: Mapping[str, float]) -> None:
    """Raises `UserError` for a limit of an unknown check."""
    if unknown := sorted(limits.keys() - LIMITS.keys()):
        raise UserError(f"--limit {unknown[0]}: no such check; expected one of {', '.join(LIMITS)}")


def findings(
    found: Iterable[Found],
    limits: Mapping[str, float],
    locate: Callable[[list[str]], Mapping[str, str]] = lambda sentences: {},
) -> list[Finding]:
    """Findings with their limits; ``locate`` says where sentences stand."""
    every = list(found)
    places = locate([sentence for _, _, sentences, _ in every for sentence in sentences[:EXAMPLES]])
    return [
        Finding(
            check=check,
            split=split,
            count=len(sentences),
            of=of,
            limit=limits[check],
            examples=tuple(map(shown, sentences[:EXAMPLES])),
            places=tuple(places.get(sentence, "") for sentence in sentences[:EXAMPLES]),
        )
        for check, split, sentences, of in every
    ]


def shown(text: str) -> str:
    """An example on one line; unprintable characters are escaped."""
    printable = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return printable if len(printable) <= EXAMPLE_WIDTH else f"{printable[: EXAMPLE_WIDTH - 3]}..."


def tables(report: CorpusReport) -> str:
    """Lengths, findings with examples, checks that found nothing, and what cleaning left out, for a terminal."""
    found = [finding for finding in report.findings if finding.count]
    clean = {finding.check for finding in report.findings} - {finding.check for finding in found}
    sound = f"nothing found: {', '.join(sorted(clean))}\n" if clean else ""
    return "\n".join(
        [
            text(_lengths(report)),
            *([text(_findings(found))] if found else []),
            *map(_examples, found),
            sound + _summary(report),
        ]
    )


def _lengths(report: CorpusReport) -> Table:
    ratio = [name for name in ("pieces per word",) if all(name in row for row in report.lengths)]
    rows = [
        (
            f"{row['split']} {row['side']}, {row['unit']}",
            *(f"{row[name]:.{int(name == 'mean')}f}" for name in _NUMBERS),
            *(f"{row[name]:.2f}" for name in ratio),
        )
        for row in report.lengths
    ]
    return Table(("lengths", *_NUMBERS, *ratio), tuple(rows))


def _findings(found: Iterable[Finding]) -> Table:
    rows = [
        (
            f"{each.check}: {each.split}",
            f"{each.count:,}",
            f"{each.of:,}",
            f"{each.share:.2%}",
            f"{each.limit:.1%}",
            "PROBLEM" if each.problem else "",
        )
        for each in found
    ]
    return Table(("found", "sentences", "of", "share", "limit", ""), tuple(rows))


def _examples(finding: Finding) -> str:
    placed = list(zip_longest(finding.places, finding.examples, fillvalue=""))
    lines = (f"    {place}: {example}" if place else f"    {example}" for place, example in placed)
    return "\n".join([f"{finding.check}: {finding.split}", *islice(lines, None if finding.problem else 1)])


def _summary(report: CorpusReport) -> str:
    counts = dict(report.metadata.cleaning)
    read = counts.pop("read")
    left_out = cleaning.report(counts, read - sum(counts.values()))
    names = ", ".join(f"{each.check} ({each.split})" for each in report.problems)
    return f"{left_out}\n" + (f"{len(report.problems)} problems: {names}" if names else "no problems")
