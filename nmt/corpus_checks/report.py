"""The checkup as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from nmt.corpus_checks.checks import Checkup
from nmt.corpus_checks.finding import Finding
from nmt.data import cleaning
from nmt.evaluation.report import Table, text

_NUMBERS = ("mean", "median", "95 %", "99 %", "longest")


def tables(checkup: Checkup) -> str:
    """Lengths, findings with examples, most of them of problems, and what cleaning left out. Checks that found nothing anywhere share a line."""
    found = [finding for finding in checkup.findings if finding.count]
    clean = {finding.check for finding in checkup.findings} - {finding.check for finding in found}
    sound = f"nothing found: {', '.join(sorted(clean))}\n" if clean else ""
    return "\n".join(
        [
            text(_lengths(checkup)),
            *([text(_findings(found))] if found else []),
            *map(_examples, found),
            sound + _summary(checkup),
        ]
    )


def _lengths(checkup: Checkup) -> Table:
    rows = [
        (
            f"{row['split']} {row['side']}, {row['unit']}",
            *(f"{row[name]:.{int(name == 'mean')}f}" for name in _NUMBERS),
            f"{row['pieces per word']:.2f}",
        )
        for row in checkup.lengths
    ]
    return Table(("lengths", *_NUMBERS, "pieces per word"), tuple(rows))


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
    examples = finding.examples if finding.problem else finding.examples[:1]
    return "\n".join([f"{finding.check}: {finding.split}", *(f"    {example}" for example in examples)])


def _summary(checkup: Checkup) -> str:
    counts = dict(checkup.metadata.cleaning)
    read = counts.pop("read")
    left_out = cleaning.report(counts, read - sum(counts.values()))
    names = ", ".join(f"{each.check} ({each.split})" for each in checkup.problems)
    return f"{left_out}\n" + (f"{len(checkup.problems)} problems: {names}" if names else "no problems")
