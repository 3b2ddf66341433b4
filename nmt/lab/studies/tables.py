"""The tables of the bottleneck report, for Markdown and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmt.evaluation.lengths import Bucket
from nmt.evaluation.report import Table
from nmt.lab.experiments.claims import read_claims
from nmt.lab.experiments.experiment import Claim
from nmt.lab.studies.analysis import Analysis, RunCapacity, SystemEffect, mean_over_seeds
from nmt.lab.studies.costs import Spread
from nmt.lab.studies.verdicts import Expectation, number

Tables = dict[str, Table]
"""Tables by caption."""
MARK = "\N{NO-BREAK SPACE}¹"
"""Marks systems with one seed."""


def tables(found: Analysis, expectations: Sequence[Expectation], claims: Sequence[Claim]) -> Tables:
    """All tables that have a row."""
    beam, beams = found.beam, sorted(found.conditions.beams, reverse=True)
    baseline = found.title(found.baseline) if found.baseline else found.compared_with
    made = {
        "Expected before measuring, and measured": _expectations(expectations),
        **{f"Cost of concatenation in BLEU, beam {each}": _costs(found, each) for each in beams},
        **{f"BLEU one by one and concatenated, beam {each}": _sides(found, each) for each in beams},
        f"Cost beyond that of {baseline}, in BLEU, beam {beam}": _effects(found),
        f"Share of BLEU kept, and k50, beam {beam}": _capacity(found),
        **{
            f"chrF2 at each position of {size} sentences, concatenated / one by one, beam {beam}": _positions(
                found, size
            )
            for size in sorted({each.k for each in found.positions})
        },
        f"BLEU by words of the source, trained on long sentences too, beam {beam}": _long(found),
        "Claims of the story": _claims(claims),
        "Runs": _runs(found),
    }
    return {caption: table for caption, table in made.items() if table.rows}


def _expectations(expectations: Sequence[Expectation]) -> Table:
    rows = tuple((each.expected, each.measured, each.outcome) for each in expectations)
    return Table(("expected", "measured", "outcome"), rows, ("Written down before the study on Multi30k was run.",))


def _costs(found: Analysis, beam: int) -> Table:
    rows = [
        (_named(found, name), *(_spread(found.cost(name, size, beam=beam)) for size in found.sizes))
        for name in found.systems
        if found.values(name, found.size, beam=beam)
    ]
    note = "BLEU one by one less BLEU concatenated: mean over seeds, smallest to largest. Compare equal k only."
    return Table(("system", *_columns(found)), tuple(rows), (note, *_single_seeds(rows)))


def _sides(found: Analysis, beam: int) -> Table:
    rows = [
        (_named(found, name), *(_pair(found, name, size, beam) for size in (1, *found.sizes)))
        for name in found.systems
        if found.values(name, found.size, beam=beam)
    ]
    note = f"One by one / concatenated, mean over seeds. BLEU: {found.signature}"
    return Table(("system", "singles", *_columns(found)), tuple(rows), (note, *_single_seeds(rows)))


def _effects(found: Analysis) -> Table:
    rows = [
        (_named(found, name), *(_effect(effect) for size in found.sizes if (effect := found.effect(name, size))))
        for name in found.systems
        if found.effect(name, found.size)
    ]
    note = "p by paired bootstrap over test items, smallest to largest over seeds; the range in brackets is over seeds."
    return Table(("system", *_columns(found)), tuple(rows), (note, *_single_seeds(rows)))


def _capacity(found: Analysis) -> Table:
    swept = [run for width in found.widths() for run in width.runs]
    core = [run for name in found.core for run in found.capacity(name)]
    rows = [(f"{found.title(run.system)}, {run.seed}", *_k50(run), *_kept(found, run)) for run in (*swept, *core)]
    note = "k50: the k at which half of the BLEU one by one is kept; its interval is over test sentences."
    return Table(("system, seed", "k50", "95 %", *_columns(found)), tuple(rows), (note,))


def _positions(found: Analysis, size: int) -> Table:
    rows = []
    for name in found.systems:
        together, singles = (mean_over_seeds(found.chrf(name, size, side)) for side in ("concatenated", "one_by_one"))
        if together:
            cells = (f"{number(one)} / {number(single)}" for one, single in zip(together, singles, strict=True))
            rows.append((_named(found, name), *cells))
    note = "Mean over seeds. Both are cut into sentences by alignment with the reference."
    return Table(("system", *map(str, range(1, size + 1))), tuple(rows), (note, *_single_seeds(rows)))


def _long(found: Analysis) -> Table:
    buckets = [bucket for run in found.long[:1] for bucket in run.buckets]
    rows = tuple((f"{run.title}, {run.seed}", *map(_bucket, run.buckets)) for run in found.long)
    note = "95 % over test sentences. Content differs between lengths; only concatenation keeps it the same."
    return Table(("system, seed", *(f"{bucket.label} ({bucket.sentences})" for bucket in buckets)), rows, (note,))


def _bucket(bucket: Bucket) -> str:
    bleu = bucket.bleu
    assert bleu.low is not None, "buckets have intervals"
    assert bleu.high is not None, "buckets have intervals"
    return f"{number(bleu.value)} ({number(bleu.low)} to {number(bleu.high)}){'*' if bucket.small else ''}"


def _claims(claims: Sequence[Claim]) -> Table:
    told = read_claims()
    rows = tuple((f"{claim.id}: {told[claim.id].text}", claim.number, claim.verdict) for claim in claims)
    return Table(("claim", "measured", "verdict"), rows)


def _runs(found: Analysis) -> Table:
    rows = [
        (
            f"{about.title}, {seed}",
            about.group,
            f"{about.parameters:,}",
            str(about.concatenation),
            f"{run.updates:,}",
            f"{run.best_update:,}",
            f"{run.target_tokens:,}",
            f"{run.training_seconds / 60:.0f}",
            run.precision,
        )
        for about in found.systems.values()
        for seed, run in about.seeds.items()
    ]
    columns = ("system, seed", "group", "parameters", "k in training", "updates", "best", "target tokens", "minutes")
    return Table((*columns, "precision"), tuple(rows), ("Minutes of training on one thread.",))


def _columns(found: Analysis) -> list[str]:
    return [f"k = {size}" for size in found.sizes]


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    extent = f" ({number(spread.smallest)} to {number(spread.largest)})" if spread.count > 1 else ""
    return number(spread.mean) + extent


def _named(found: Analysis, name: str) -> str:
    return found.title(name) + (MARK if len(found.systems[name].seeds) == 1 else "")


def _single_seeds(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if any(row[0].endswith(MARK) for row in rows):
        yield f"{MARK.strip()} one seed"


def _pair(found: Analysis, name: str, size: int, beam: int) -> str:
    single, together = (found.cost(name, size, side, beam) for side in ("one_by_one", "concatenated"))
    if single is None or together is None:
        return "-"
    return number(single.mean) if size == 1 else f"{number(single.mean)} / {number(together.mean)}"


def _effect(effect: SystemEffect) -> str:
    p_values = sorted({f"{seed.p_value:.3f}" for seed in effect.seeds})
    return f"{_spread(effect.over_seeds)}; p = {' to '.join(dict.fromkeys((p_values[0], p_values[-1])))}"


def _k50(run: RunCapacity) -> tuple[str, str]:
    if run.k50 is None:
        return "-", "-"
    return run.k50.label, " to ".join(bound.label for bound in (run.low, run.high) if bound) or "-"


def _kept(found: Analysis, run: RunCapacity) -> list[str]:
    kept = dict(zip(run.sizes, run.kept, strict=True))
    shares = (kept[size] for size in found.sizes)
    return ["-" if share is None else f"{share:.2f}" for share in shares]
