"""What was expected before the bottleneck study was run, and the claims of the story, each judged by its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nmt.lab.experiments.experiment import Claim, Verdict
from nmt.lab.studies.analysis import SIGNIFICANT, Analysis
from nmt.lab.studies.costs import Spread

SMALL = 3.0
"""BLEU: the largest cost expected of attention and the Transformer at k = 4."""
LARGE = 12.0
"""BLEU: the smallest cost expected of the thought vector at k = 4."""
SEEDS = 3
"""An expectation about significance needs so many seeds."""


@dataclass(frozen=True)
class Expectation:
    """What was expected, what was measured, and whether they agree."""

    expected: str
    measured: str
    outcome: Literal["as expected", "not as expected", "not measured"]


def number(value: float) -> str:
    """A score or a difference to a tenth; what rounds to 0 has no sign."""
    return f"{round(value, 1) + 0.0:.1f}"


def over_seeds(spread: Spread) -> str:
    """The mean, and the range over seeds in brackets."""
    extent = "one seed" if spread.count == 1 else f"{number(spread.smallest)} to {number(spread.largest)}"
    return f"{number(spread.mean)} ({extent})"


def expectations(found: Analysis) -> list[Expectation]:
    """Written down for k = 4 before the study on Multi30k was run."""
    vector, limit = found.vector, f"at most {SMALL:.0f} BLEU"
    judged = [
        _cost(found, found.baseline, f"attention costs {limit}", lambda cost: cost.largest <= SMALL),
        _cost(found, found.transformer, f"the Transformer costs {limit}", lambda cost: cost.largest <= SMALL),
        _cost(
            found,
            vector,
            f"the thought vector costs at least {LARGE:.0f} BLEU",
            lambda cost: cost.smallest >= LARGE,
        ),
        _growth(found, vector),
        _significance(found, vector),
        _capacity(found),
    ]
    return [Expectation(each.expected, "-", "not measured") for each in judged] if found.no_signal else judged


def _cost(found: Analysis, system: str | None, expected: str, holds: Callable[[Spread], bool]) -> Expectation:
    cost = found.cost(system, 4) if system else None
    measured = over_seeds(cost) if cost else None
    return _judged(f"at k = 4 {expected}, in each seed", measured, cost is not None and holds(cost))


def _growth(found: Analysis, vector: str | None) -> Expectation:
    trend = found.trend(vector) if vector else None
    costs = [number(cost.mean) for size in found.sizes if vector and (cost := found.cost(vector, size))]
    measured = f"{', '.join(costs)} at k = {', '.join(map(str, found.sizes))}" if trend else None
    return _judged("the cost of the thought vector grows at every step of k", measured, trend == "grows")


def _significance(found: Analysis, vector: str | None) -> Expectation:
    effect = found.effect(vector, 4) if vector else None
    seeds = effect.seeds if effect else ()
    all_significant = bool(seeds) and all(seed.p_value < SIGNIFICANT and seed.value > 0 for seed in seeds)
    expected = f"at k = 4 it costs more than attention with p < {SIGNIFICANT} in each of {SEEDS} seeds"
    measured = f"p = {', '.join(f'{seed.p_value:.3f}' for seed in seeds)}" if effect else None
    if all_significant and len(seeds) < SEEDS:
        return Expectation(expected, f"{measured}: {len(seeds)} of {SEEDS} seeds", "not measured")
    return _judged(expected, measured, all_significant)


def _capacity(found: Analysis) -> Expectation:
    labels = [f"{run.k50.label} ({width.width})" for width in found.widths() for run in width.runs if run.k50]
    trend = found.width_trend
    return _judged(
        "k50 grows with the width of the thought vector", ", ".join(labels) if trend else None, trend == "grows"
    )


def _judged(expected: str, measured: str | None, holds: bool) -> Expectation:
    if measured is None:
        return Expectation(expected, "-", "not measured")
    return Expectation(expected, measured, "as expected" if holds else "not as expected")


def claims(found: Analysis) -> list[Claim]:
    """The rows of the story that the finished runs answer."""
    vector, baseline = found.vector, found.baseline
    if vector is None or baseline is None or found.no_signal or found.effect(vector, found.size) is None:
        return []
    return [_bottleneck(found, vector), _removed(found, vector, baseline), *_beginning(found, vector), *_length(found)]


def _bottleneck(found: Analysis, vector: str) -> Claim:
    """E2: the cost grows with k, at every width."""
    last = max(found.sizes)
    wide = [str(width.width) for width in found.widths() if width.k50 > last]
    conditions = [
        *([] if found.trend(vector) == "grows" else [f"the cost does not grow at every step up to k = {last}"]),
        *([f"widths {', '.join(wide)} keep more than half up to k = {last}"] if wide else []),
        *_weaknesses(found, vector),
    ]
    costs = [
        f"{found.title(name)} {over_seeds(cost)}"
        for name in (vector, found.baseline)
        if name and (cost := found.cost(name, found.size))
    ]
    return _claim("E2", found, vector, f"at k = {found.size}: {', '.join(costs)}", conditions)


def _removed(found: Analysis, vector: str, baseline: str) -> Claim:
    """E3: attention removes the bottleneck if its own cost is small at every k, also if trained on single sentences."""
    costs = [(size, cost) for size in found.sizes if (cost := found.cost(baseline, size))]
    large = [f"{over_seeds(cost)} at k = {size}" for size, cost in costs if cost.mean > SMALL]
    singles = found.singles(baseline)
    unseen = found.cost(singles, found.size) if singles else None
    conditions = [
        *([f"more than {SMALL:.0f}: {', '.join(large)}"] if large else []),
        *(
            [f"trained on single sentences: {over_seeds(unseen)} at k = {found.size}"]
            if unseen and unseen.mean > SMALL
            else []
        ),
        *_weaknesses(found, vector),
    ]
    shown = [f"{over_seeds(cost)} at k = {size}" for size, cost in costs if size in (found.size, max(found.sizes))]
    return _claim("E3", found, vector, f"{found.title(baseline)} {', '.join(shown)}", conditions)


def _claim(id: str, found: Analysis, vector: str, costs: str, conditions: list[str]) -> Claim:
    seeds = len(found.values(vector, found.size))
    about = f"beam {found.beam}, {'one seed' if seeds == 1 else f'{seeds} seeds'}, {found.conditions.corpus}"
    verdict: Verdict = "holds under conditions" if conditions else "holds"
    if not found.significant_seeds(vector):
        verdict = "does not hold"
    text = "; ".join([f"cost of concatenation in BLEU ({about}): {costs}", *conditions])
    return Claim(id=id, number=text, verdict=verdict)


def _weaknesses(found: Analysis, vector: str) -> Iterator[str]:
    """What weakens a claim, whatever the numbers."""
    if found.trained_on < found.size:
        yield f"trained on up to {found.trained_on} sentences at once, so {found.size} is an unseen length"
    if (cost := found.cost(vector, found.size)) and cost.mean <= SMALL:
        yield f"the cost of the thought vector is at most {SMALL:.0f} BLEU"
    if (significant := found.significant_seeds(vector)) < SEEDS:
        yield f"larger than that of the baseline with p < {SIGNIFICANT} in {significant} of {SEEDS} seeds"


def _beginning(found: Analysis, vector: str) -> Iterator[Claim]:
    """B9: the beginning loses more than the end, in whatever direction the source is read."""
    names = [vector, *(name for pair in found.directions() for name in pair)]
    ends = {name: end for name in names if (end := found.worse_end(name))}
    if not ends:
        return
    losses = {name: found.losses(name, found.size) or [] for name in ends}
    each = [f"{found.title(name)} {number(loss[0])} and {number(loss[-1])}" for name, loss in losses.items()]
    first = [name for name in ends if ends[name] == "beginning"]
    verdict: Verdict = "holds" if len(first) == len(ends) else "holds under conditions" if first else "does not hold"
    text = f"chrF2 lost at the first and last of {found.size} concatenated sentences: {'; '.join(each)}"
    yield Claim(id="B9", number=text, verdict=verdict)


def _length(found: Analysis) -> Iterator[Claim]:
    """E8: a length is too long because training never reached it: the same models, trained on it and not."""
    size = found.size
    pairs = [
        (name, seen, unseen)
        for name in found.main
        if (singles := found.singles(name))
        and (seen := found.cost(name, size))
        and (unseen := found.cost(singles, size))
    ]
    if not pairs:
        return
    lose = [name for name, seen, unseen in pairs if unseen.mean > max(SMALL, seen.mean)]
    keep = [name for name, seen, _ in pairs if seen.mean <= SMALL]
    each = [f"{found.title(name)} {over_seeds(unseen)} against {over_seeds(seen)}" for name, seen, unseen in pairs]
    verdict: Verdict = (
        "does not hold" if not lose else "holds" if len(lose) == len(keep) == len(pairs) else "holds under conditions"
    )
    trained = "trained on single sentences against trained on concatenated ones"
    text = f"cost of concatenation in BLEU at k = {size}, {trained}: {'; '.join(each)}"
    yield Claim(id="E8", number=text, verdict=verdict)
