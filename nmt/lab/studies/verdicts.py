"""What was expected before anything was measured, and the claims of the story, each judged by what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nmt.lab.experiments.experiment import Claim, Verdict
from nmt.lab.studies.costs import Spread
from nmt.lab.studies.findings import SURE, Findings
from nmt.lab.studies.wording import SMALL, listed, number, over_seeds, part

LARGE = 12.0
"""BLEU: what packing four sentences was expected to cost the thought vector at least."""
SEEDS = 3
"""In so many seeds an expectation is tested."""


@dataclass(frozen=True)
class Expectation:
    """What was written down before the measurement, what was measured, and whether that is it."""

    expected: str
    measured: str
    outcome: Literal["as expected", "not as expected", "not measured"]


def expectations(findings: Findings) -> list[Expectation]:
    """All that was expected; of k = 4, and not of another k where that was not measured. Models that hardly translate measure nothing."""
    judged = _judged_all(findings)
    return [Expectation(each.expected, "-", "not measured") for each in judged] if findings.mute else judged


def _judged_all(findings: Findings) -> list[Expectation]:
    return [
        _cost(
            findings, findings.baseline, f"attention costs at most {SMALL:.0f} BLEU", lambda cost: cost.largest <= SMALL
        ),
        _cost(
            findings,
            findings.transformer,
            f"the Transformer costs at most {SMALL:.0f} BLEU",
            lambda cost: cost.largest <= SMALL,
        ),
        _cost(
            findings,
            findings.vector,
            f"the thought vector costs at least {LARGE:.0f} BLEU",
            lambda cost: cost.smallest >= LARGE,
        ),
        _growth(findings),
        _significance(findings),
        _capacity(findings),
    ]


def _cost(findings: Findings, system: str | None, expected: str, holds: Callable[[Spread], bool]) -> Expectation:
    cost = findings.cost(system, 4) if system else None
    return _judged(
        f"at k = 4 {expected}, in each seed", over_seeds(cost) if cost else None, cost is not None and holds(cost)
    )


def _growth(findings: Findings) -> Expectation:
    course = findings.course(findings.vector) if findings.vector else None
    costs = [
        number(cost.mean)
        for size in findings.packs
        if findings.vector and (cost := findings.cost(findings.vector, size))
    ]
    measured = f"{', '.join(costs)} at k = {', '.join(map(str, findings.packs))}" if course else None
    return _judged("the cost of the thought vector grows at every step of k", measured, course == "grows")


def _significance(findings: Findings) -> Expectation:
    effect = findings.effect(findings.vector, 4) if findings.vector else None
    p_values = [seed["p_value"] for seed in effect["seeds"]] if effect else []
    sure = all(seed["p_value"] < SURE and seed["value"] > 0 for seed in effect["seeds"]) if effect else False
    expected = f"at k = 4 it costs more than attention with p < {SURE} in each of {SEEDS} seeds"
    measured = f"p = {', '.join(f'{value:.3f}' for value in p_values)}" if effect else None
    if sure and len(p_values) < SEEDS:
        return Expectation(expected, f"{measured}: {len(p_values)} of {SEEDS} seeds", "not measured")
    return _judged(expected, measured, sure)


def _capacity(findings: Findings) -> Expectation:
    labels = [f"{record['k50']['label']} ({width.slot})" for width in findings.widths() for record in width.runs]
    return _judged(
        "k50 grows with the width of the thought vector",
        ", ".join(labels) if findings.widening else None,
        findings.widening == "grows",
    )


def _judged(expected: str, measured: str | None, holds: bool) -> Expectation:
    if measured is None:
        return Expectation(expected, "-", "not measured")
    return Expectation(expected, measured, "as expected" if holds else "not as expected")


def claims(findings: Findings) -> list[Claim]:
    """The rows of the story that a finished study answers."""
    vector, baseline = findings.vector, findings.baseline
    if vector is None or baseline is None or findings.mute or findings.standing(vector) is None:
        return []
    return [
        _bottleneck(findings, vector, baseline),
        _look_back(findings, vector, baseline),
        *_beginning(findings, vector),
        *_window(findings),
    ]


def _bottleneck(findings: Findings, vector: str, baseline: str) -> Claim:
    """E2: it costs, the more sentences the more, and at every width that was tried."""
    costs = [
        f"{part(findings, name)} {over_seeds(cost)}"
        for name in (vector, baseline)
        if (cost := findings.cost(name, findings.size))
    ]
    wide = [width.slot for width in findings.widths() if width.middle > max(findings.packs)]
    conditions = [
        *(
            [f"its cost does not grow at every step up to k = {max(findings.packs)}"]
            if findings.course(vector) != "grows"
            else []
        ),
        *(
            [f"vectors of {listed(list(map(str, wide)))} numbers keep more than half up to k = {max(findings.packs)}"]
            if wide
            else []
        ),
        *_weaknesses(findings, vector),
    ]
    found = f"cost of packing {findings.size} sentences: {listed(costs)} BLEU, {_conditions(findings, vector)}"
    return Claim(id="E2", number="; ".join([found, *conditions]), verdict=_verdict(findings, vector, conditions))


def _look_back(findings: Findings, vector: str, baseline: str) -> Claim:
    """E3, as far as attention removes the bottleneck: that its own cost is small at every k, also where it saw no packs in training."""
    costs = [(size, cost) for size in findings.packs if (cost := findings.cost(baseline, size))]
    dear = [f"k = {size}: {over_seeds(cost)}" for size, cost in costs if cost.mean > SMALL]
    singles = findings.singles(baseline)
    foreign = findings.cost(singles, findings.size) if singles else None
    conditions = [
        *([f"more than {SMALL:.0f} BLEU at {listed(dear)}"] if dear else []),
        *(
            [f"trained on single sentences it loses {over_seeds(foreign)} at k = {findings.size}"]
            if foreign and foreign.mean > SMALL
            else []
        ),
        *_weaknesses(findings, vector),
    ]
    kept = [f"{over_seeds(cost)} at k = {size}" for size, cost in costs if size in (findings.size, max(findings.packs))]
    found = f"packing costs {part(findings, baseline)} {listed(kept)} BLEU, {_conditions(findings, baseline)}"
    return Claim(id="E3", number="; ".join([found, *conditions]), verdict=_verdict(findings, vector, conditions))


def _conditions(findings: Findings, system: str) -> str:
    seeds = len(findings.values(system, findings.size))
    return f"beam {findings.beam}, {f'mean and range of {seeds} seeds' if seeds > 1 else 'one seed'}, on {findings.found['conditions']['corpus']}"


def _weaknesses(findings: Findings, vector: str) -> Iterator[str]:
    """What makes a claim weaker, whatever the numbers."""
    if findings.familiar < findings.size:
        yield f"trained on up to {findings.familiar} at once, so it is a matter of unseen length"
    if (cost := findings.cost(vector, findings.size)) and cost.mean <= SMALL:
        yield f"the cost of the thought vector is at most {SMALL:.0f} BLEU"
    if (sure := findings.sure(vector)) < SEEDS:
        yield f"the thought vector loses more than the baseline with p < {SURE} in {sure} of {SEEDS} seeds"


def _verdict(findings: Findings, vector: str, conditions: list[str]) -> Verdict:
    if not findings.sure(vector):
        return "does not hold"
    return "holds under conditions" if conditions else "holds"


def _beginning(findings: Findings, vector: str) -> Iterator[Claim]:
    """B9: that the beginning suffers more than the end, however the source is read."""
    names = [vector, *(name for pair in findings.turned() for name in pair)]
    ends = {name: end for name in names if (end := findings.worse_end(name))}
    if not ends:
        return
    losses = {name: findings.losses(name, findings.size) or [] for name in ends}
    each = [f"{findings.title(name)} {number(loss[0])} and {number(loss[-1])}" for name, loss in losses.items()]
    first = [name for name in ends if ends[name] == "beginning"]
    verdict: Verdict = "holds" if len(first) == len(ends) else "holds under conditions" if first else "does not hold"
    yield Claim(
        id="B9",
        number=f"chrF lost at the first and last place of packs of {findings.size}: {'; '.join(each)}",
        verdict=verdict,
    )


def _window(findings: Findings) -> Iterator[Claim]:
    """E8: that a length counts as too long because training never reached it, shown by the same models trained on it and not."""
    size = findings.size
    pairs = [
        (name, within, beyond)
        for name in findings.parts
        if (other := findings.singles(name))
        and (within := findings.cost(name, size))
        and (beyond := findings.cost(other, size))
    ]
    if not pairs:
        return
    lose = [name for name, within, beyond in pairs if beyond.mean > max(SMALL, within.mean)]
    keep = [name for name, within, _ in pairs if within.mean <= SMALL]
    each = [
        f"{findings.title(name)} {over_seeds(beyond)} against {over_seeds(within)}" for name, within, beyond in pairs
    ]
    found = f"packing {size} costs those trained on single sentences, against those trained on packs: {'; '.join(each)} BLEU"
    verdict: Verdict = (
        "does not hold" if not lose else "holds" if len(lose) == len(keep) == len(pairs) else "holds under conditions"
    )
    yield Claim(id="E8", number=found, verdict=verdict)
