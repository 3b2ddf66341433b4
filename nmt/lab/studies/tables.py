"""The tables of the report on the bottleneck, for Markdown and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nmt.evaluation.report import Table
from nmt.lab.experiments.claims import read_claims
from nmt.lab.studies.costs import Spread
from nmt.lab.studies.findings import Findings, mean_over_seeds
from nmt.lab.studies.wording import number

Row = tuple[str, ...]
Tables = dict[str, Table]
"""Tables by caption."""
MARK = "\N{NO-BREAK SPACE}¹"
"""Stands behind what was run with one seed."""


def tables(findings: Findings) -> Tables:
    """All that have a row."""
    made = {
        "What was expected before measuring, and what was measured": expectations(findings),
        **{f"Cost of packing in BLEU, join less pack, beam {beam}": costs(findings, beam) for beam in _beams(findings)},
        **{f"BLEU of the join and of the pack, beam {beam}": sides(findings, beam) for beam in _beams(findings)},
        f"Bottleneck effect: cost beyond that of {_baseline(findings)}, in BLEU, beam {findings.beam}": effects(
            findings
        ),
        f"Capacity: share of the join's BLEU that the pack keeps, and k50, beam {findings.beam}": capacity(findings),
        **{
            f"chrF2 by place in packs of {size}, pack / join, beam {findings.beam}": places(findings, size)
            for size in _sizes(findings)
        },
        f"BLEU by words of the source, trained on long sentences too, beam {findings.beam}": long(findings),
        "Claims of the story": claims(findings),
        "Runs": runs(findings),
    }
    return {caption: table for caption, table in made.items() if table.rows}


def expectations(findings: Findings) -> Table:
    """What was expected beside what was measured."""
    rows = [(each["expected"], each["measured"], each["outcome"]) for each in findings.found["expectations"]]
    return Table(
        ("expected", "measured", "outcome"),
        tuple(rows),
        ("Written down for the study on Multi30k before any of it was run.",),
    )


def costs(findings: Findings, beam: int) -> Table:
    """One row a system: what packing costs at each k."""
    rows = [
        (_named(findings, name), *(spread_cell(findings.cost(name, size, beam=beam)) for size in findings.packs))
        for name in findings.systems
        if findings.values(name, findings.size, beam=beam)
    ]
    notes = (
        "Mean over seeds, and the smallest to the largest. Only k with k is compared: joining changes BLEU by itself.",
        *_single(rows),
    )
    return Table(("system", *(f"k = {size}" for size in findings.packs)), tuple(rows), notes)


def sides(findings: Findings, beam: int) -> Table:
    """One row a system: BLEU one by one and packed, at each k."""
    rows = [
        (_named(findings, name), *(_pair(findings, name, size, beam) for size in (1, *findings.packs)))
        for name in findings.systems
        if findings.values(name, findings.size, beam=beam)
    ]
    columns = ("system", "singles", *(f"k = {size}" for size in findings.packs))
    return Table(
        columns, tuple(rows), (f"Join / pack, mean over seeds. BLEU: {findings.found['signature']}", *_single(rows))
    )


def effects(findings: Findings) -> Table:
    """One row a system that has a seed in common with the baseline."""
    rows = [
        (
            _named(findings, name),
            *(_effect(effect) for size in findings.packs if (effect := findings.effect(name, size))),
        )
        for name in findings.systems
        if findings.effect(name, findings.size)
    ]
    note = "p by paired bootstrap over packs, from seed to seed: it tells of the choice of test sentences, the range over seeds of training."
    return Table(("system", *(f"k = {size}" for size in findings.packs)), tuple(rows), (note, *_single(rows)))


def capacity(findings: Findings) -> Table:
    """One row a run: thought vectors of swept widths, the narrowest first, then the core systems."""
    swept = [record for width in findings.widths() for record in width.runs]
    core = [record for name in findings.core for record in findings.capacity(name)]
    rows = [(_name(findings, record), *_interval(record), *_kept(findings, record)) for record in (*swept, *core)]
    columns = ("system, seed", "k50", "95 %", *(f"k = {size}" for size in findings.packs))
    note = "k50 is the k at which the pack keeps half of the join's BLEU; its interval is over test sentences. One row a run."
    return Table(columns, tuple(rows), (note,))


def places(findings: Findings, size: int) -> Table:
    """One row a system: quality of packs and of joins at each place, cut in the same way."""
    rows = []
    for name in findings.systems:
        pack, join = (mean_over_seeds(findings.places(name, size, side)) for side in ("pack", "join"))
        if pack:
            cells = (f"{number(found)} / {number(whole)}" for found, whole in zip(pack, join, strict=True))
            rows.append((_named(findings, name), *cells))
    note = "Mean over seeds. Packs and joins are cut into sentences in the same way, by alignment with the reference."
    return Table(("system", *map(str, range(1, size + 1))), tuple(rows), (note, *_single(rows)))


def long(findings: Findings) -> Table:
    """One row a run: quality by natural length, on a test set of long sentences."""
    runs = findings.found["long"]
    buckets = [bucket for run in runs[:1] for bucket in run["buckets"]]
    rows = [(f"{run['title']}, {run['seed']}", *(_bucket(bucket) for bucket in run["buckets"])) for run in runs]
    note = "95 % over test sentences. Content differs between lengths: this shows natural text, and only packing keeps content the same."
    return Table(
        ("system, seed", *(f"{bucket['words']} ({bucket['sentences']})" for bucket in buckets)), tuple(rows), (note,)
    )


def _bucket(bucket: Any) -> str:
    bleu = bucket["bleu"]
    return f"{number(bleu['value'])} ({number(bleu['low'])} to {number(bleu['high'])}){'*' if bucket['small'] else ''}"


def claims(findings: Findings) -> Table:
    """The story's claims, with our numbers and verdicts."""
    told = read_claims()
    rows = [
        (f"{claim['id']}: {told[claim['id']].text}", claim["number"], claim["verdict"])
        for claim in findings.found["claims"]
    ]
    return Table(("claim", "measured", "verdict"), tuple(rows))


def runs(findings: Findings) -> Table:
    """One row a run: what it took."""
    rows = [
        (
            f"{about['title']}, {seed}",
            about["panel"],
            f"{about['parameters']:,}",
            str(findings.trained(name)),
            f"{run['updates']:,}",
            f"{run['best_update']:,}",
            f"{run['target_pieces']:,}",
            f"{run['training_seconds'] / 60:.0f}",
            run["precision"],
        )
        for name, about in findings.systems.items()
        for seed, run in about["seeds"].items()
    ]
    columns = (
        "system, seed",
        "panel",
        "parameters",
        "packs up to",
        "updates",
        "best",
        "target pieces",
        "minutes",
        "precision",
    )
    return Table(columns, tuple(rows), ("Minutes of training on one thread.",))


def spread_cell(spread: Spread | None) -> str:
    """A mean over seeds and their range."""
    if spread is None:
        return "-"
    return number(spread.mean) + (
        f" ({number(spread.smallest)} to {number(spread.largest)})" if spread.count > 1 else ""
    )


def _beams(findings: Findings) -> list[int]:
    return sorted(findings.found["conditions"]["beams"], reverse=True)


def _sizes(findings: Findings) -> list[int]:
    return sorted({each["k"] for each in findings.found["positions"]})


def _baseline(findings: Findings) -> str:
    return findings.title(findings.baseline) if findings.baseline else str(findings.found["baseline"])


def _named(findings: Findings, name: str) -> str:
    """A system, marked where there is one run of it."""
    return findings.title(name) + (MARK if len(findings.systems[name]["seeds"]) == 1 else "")


def _single(rows: Sequence[Row]) -> Iterator[str]:
    if any(row[0].endswith(MARK) for row in rows):
        yield f"{MARK.strip()} one seed: one run, without a range over seeds"


def _pair(findings: Findings, name: str, size: int, beam: int) -> str:
    join, pack = (findings.cost(name, size, side, beam) for side in ("join", "pack"))
    if join is None or pack is None:
        return "-"
    return number(join.mean) if size == 1 else f"{number(join.mean)} / {number(pack.mean)}"


def _effect(effect: Any) -> str:
    p_values = sorted({f"{seed['p_value']:.3f}" for seed in effect["seeds"]})
    return (
        f"{spread_cell(Spread(**effect['over_seeds']))}; p = {' to '.join(dict.fromkeys((p_values[0], p_values[-1])))}"
    )


def _name(findings: Findings, record: Any) -> str:
    return f"{findings.title(record['system'])}, {record['seed']}"


def _interval(record: Any) -> tuple[str, str]:
    if record["k50"] is None:
        return "-", "-"
    bounds = [record[bound]["label"] for bound in ("low", "high") if record[bound]]
    return record["k50"]["label"], " to ".join(bounds) or "-"


def _kept(findings: Findings, record: Any) -> Sequence[str]:
    kept = dict(zip(record["sizes"], record["kept"], strict=True))
    return ["-" if kept[size] is None else f"{kept[size]:.2f}" for size in findings.packs]
