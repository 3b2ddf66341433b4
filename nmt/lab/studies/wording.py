"""The study in words: one sentence, and two paragraphs. Their numbers are filled in from what was found, and so is what they say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from nmt.lab.studies.costs import Spread
from nmt.lab.studies.findings import Findings, Width, one_slot
from nmt.models.registry import describe

SMALL = 3.0
"""BLEU: a cost of at most this is called small. It is what was expected of attention and the Transformer at k = 4."""
PARTED = (
    "The difference between the thought vector and {other}, {spread}, {verdict} ({p} by paired bootstrap over packs)."
)
FOREIGN = "that measures extrapolation, and supports no claim about capacity"


def number(value: float) -> str:
    """A score or a difference to a tenth; what rounds to 0 has no sign."""
    return f"{round(value, 1) + 0.0:.1f}"


def over_seeds(spread: Spread) -> str:
    """A mean, and how far seeds lie apart, or that there is only one."""
    return f"{number(spread.mean)} ({_extent(spread)})"


def _extent(spread: Spread) -> str:
    return "one seed" if spread.count == 1 else f"{number(spread.smallest)} to {number(spread.largest)}"


def listed(words: Sequence[str]) -> str:
    """Words with commas and an `and`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def part(findings: Findings, system: str) -> str:
    """What a core system is called in running text."""
    if one_slot(findings.systems[system]):
        return "the thought vector"
    return "attention" if describe(findings.systems[system]["model"]).recurrent else "the Transformer"


def answer(findings: Findings) -> str:
    """The whole study in one sentence."""
    vector, baseline, size = findings.vector, findings.baseline, findings.size
    costs = [cost.mean for name in (vector, baseline) if name and (cost := findings.cost(name, size))]
    if vector is None or baseline is None or findings.standing(vector) is None:
        return "Not answered yet: it takes finished runs of a thought vector and of its baseline with the same seed."
    if findings.mute:
        return "Not answered: these models hardly translate at all, even one sentence at a time, so that a cost says nothing."
    prices = f"{number(costs[0])} BLEU, {part(findings, baseline)} {number(costs[1])}"
    return f"{_opening(findings, vector, costs[0])}: translating {size} sentences at once costs the thought vector {prices}."


def _opening(findings: Findings, vector: str, cost: float) -> str:
    if findings.familiar < findings.size:
        return "No answer about capacity, for want of training on input of this length"
    if findings.standing(vector) == "more":
        return f"One fixed vector is {'a' if cost > SMALL else 'hardly a'} bottleneck"
    return (
        "One fixed vector is no bottleneck here"
        if findings.standing(vector) == "less"
        else "Whether one fixed vector is a bottleneck is not settled"
    )


def paragraphs(findings: Findings) -> list[str]:
    """What packing costs; and what width, parameters, time, other training and the place in the pack change about it."""
    return [" ".join(said) for sentences in (_price, _limits) if (said := list(sentences(findings)))]


def _price(findings: Findings) -> Iterator[str]:
    vector, baseline, last = findings.vector, findings.baseline, max(findings.packs, default=1)
    if findings.parts:
        costs, seeds = (
            _costs(findings, findings.size),
            max(len(findings.values(name, findings.size)) for name in findings.parts),
        )
        error = f" and in brackets the range over {seeds} seeds" if seeds > 1 else ""
        yield f"Translating {findings.size} sentences at once instead of one by one costs {costs}, with beam {findings.beam}{error}."
    if findings.mute:
        joins = [
            f"{part(findings, name)} {number(join.mean)}"
            for name in findings.parts
            if (join := findings.cost(name, findings.size, "join"))
        ]
        yield f"But one by one they reach little (BLEU: {listed(joins)}): there is hardly anything to lose, and the costs say nothing."
        return
    if vector and baseline and findings.effect(vector, findings.size):
        yield _difference(findings, vector, baseline)
    if vector and findings.course(vector):
        yield _growth(findings, vector)
    if findings.parts and last > findings.size:
        yield f"With {last} at once, packing costs {_costs(findings, last)}."
    if findings.parts:
        yield _regime(findings)


def _costs(findings: Findings, size: int, instead: Mapping[str, str] | None = None) -> str:
    """What packing costs each part, or what trains its model otherwise; empty if there is nothing of that kind."""
    names = {name: name for name in findings.parts} if instead is None else instead
    costs = [(part(findings, name), cost) for name, other in names.items() if (cost := findings.cost(other, size))]
    return listed(
        [
            f"{name} {number(cost.mean)}{'' if place else ' BLEU'} ({_extent(cost)})"
            for place, (name, cost) in enumerate(costs)
        ]
    )


def _difference(findings: Findings, vector: str, baseline: str) -> str:
    effect = findings.effect(vector, findings.size) or {}
    spread, p_values = Spread(**effect["over_seeds"]), listed([f"{seed['p_value']:.3f}" for seed in effect["seeds"]])
    where = f"each of {spread.count} seeds" if spread.count > 1 else "the only seed"
    chance = "chance in the choice of test sentences"
    verdict = {
        "more": f"is more than {chance} explains, in {where}",
        "less": f"is in favour of the thought vector, and more than {chance} explains, in {where}",
    }.get(
        findings.standing(vector) or "",
        f"is against the thought vector and beyond {chance} in {findings.sure(vector)} of {spread.count} seeds",
    )
    return PARTED.format(
        other=part(findings, baseline),
        spread=f"{number(spread.mean)} BLEU ({_extent(spread)})",
        verdict=verdict,
        p=f"p = {p_values}",
    )


def _growth(findings: Findings, vector: str) -> str:
    costs = [number(cost.mean) for size in findings.packs if (cost := findings.cost(vector, size))]
    how = {
        "grows": "grows at every step of k",
        "rises": "is larger at the largest k than at the smallest, but does not grow at every step",
    }
    verdict = how.get(findings.course(vector) or "falls", "does not grow with k")
    return f"The cost of the thought vector {verdict}: {listed(costs)} BLEU at k = {listed(list(map(str, findings.packs)))}."


def _regime(findings: Findings) -> str:
    seen = findings.familiar
    if seen >= findings.size:
        return f"All were trained on packs of up to {seen} sentences, so that up to there no length is new to them: that measures capacity."
    trained = f"on packs of up to {seen} sentences" if seen > 1 else "on single sentences"
    return f"They were trained {trained}, and {findings.size} at once is a length never seen in training: {FOREIGN}."


def _limits(findings: Findings) -> Iterator[str]:
    if findings.mute:
        return
    if len(widths := findings.widths()) > 1:
        yield _capacity(findings, widths)
    if vector := findings.vector:
        yield from _matched(findings, vector)
        yield from _longer(findings, vector)
    yield from _singles(findings)
    if vector and findings.losses(vector, findings.size):
        yield _ends(findings, vector)
        yield from _turned(findings)


def _capacity(findings: Findings, widths: Sequence[Width]) -> str:
    last = max(findings.packs)
    kept = [f"> {last}" if width.middle == inf else number(width.middle) for width in widths]
    opening = {
        "grows": "The wider the vector, the larger the share of its BLEU that it keeps",
        "rises": "A wider vector keeps a larger share of its BLEU, but not at every step",
    }
    which = "one seed each" if all(len(width.runs) == 1 for width in widths) else "the middle of the seeds"
    said = opening.get(findings.widening or "falls", "A wider vector keeps no larger share of its BLEU")
    slots = listed([str(width.slot) for width in widths])
    half = f"half of the BLEU is left at {listed(kept)} sentences for vectors of {slots} numbers ({which}){_half(findings)}"
    return f"{said}: {half}. {_both_sides(findings, widths)}"


def _both_sides(findings: Findings, widths: Sequence[Width]) -> str:
    """The BLEU that the shares are of: a narrow vector that loses little may have little to lose."""
    pack, join = (
        [number(cost.mean) for width in widths if (cost := findings.cost(width.runs[0]["system"], findings.size, side))]
        for side in ("pack", "join")
    )
    return f"In BLEU itself, {findings.size} at once reach {listed(pack)}, and one by one {listed(join)}."


def _half(findings: Findings) -> str:
    """Where the baseline keeps half."""
    records = findings.capacity(findings.baseline) if findings.baseline else []
    labels = [record["k50"]["label"] for record in records if record["k50"]]
    return (
        f"; for {part(findings, findings.baseline)} at {listed(list(dict.fromkeys(labels)))}"
        if findings.baseline and labels
        else ""
    )


def _matched(findings: Findings, vector: str) -> Iterator[str]:
    matched = findings.matched(vector)
    if matched and (cost := findings.cost(matched, findings.size)):
        about = findings.systems[matched]
        yield (
            f"Widened to {about['model']['bottleneck']} numbers, so that it has {about['parameters']:,} parameters, "
            f"it loses {number(cost.mean)} BLEU ({_extent(cost)}) at k = {findings.size}."
        )


def _longer(findings: Findings, vector: str) -> Iterator[str]:
    others = {name: other for name in findings.parts if (other := findings.longer(name))}
    if vector in others:
        updates = f"{findings.updates(others[vector]):,} updates instead of {findings.updates(vector):,}"
        yield f"After {updates}, packing {findings.size} costs {_costs(findings, findings.size, others)}."


def _singles(findings: Findings) -> Iterator[str]:
    others = {name: other for name in findings.parts if (other := findings.singles(name))}
    if others:
        costs = _costs(findings, findings.size, others)
        yield f"With training on single sentences alone, packing {findings.size} costs {costs}: {FOREIGN}, which only training on packs can."


def _ends(findings: Findings, vector: str) -> str:
    verdict = {"beginning": "the beginning suffers more", "end": "the end suffers more, and not the beginning"}
    said = verdict.get(findings.worse_end(vector) or "neither", "both ends suffer alike")
    first, last = _first_and_last(findings, vector)
    return f"In packs of {findings.size} the thought vector loses {first} chrF at the first place and {last}: {said}."


def _first_and_last(findings: Findings, system: str) -> tuple[str, str]:
    losses = findings.losses(system, findings.size) or [0.0]
    seeds = (
        "one seed" if (count := len(findings.places(system, findings.size, "pack"))) == 1 else f"mean of {count} seeds"
    )
    return number(losses[0]), f"{number(losses[-1])} at the last ({seeds})"


def _turned(findings: Findings) -> Iterator[str]:
    """What reading from the other side changes."""
    for pair in findings.turned()[:1]:
        if all(findings.losses(name, findings.size) for name in pair):
            turns = "turns" if {findings.worse_end(name) for name in pair} == {"beginning", "end"} else "does not turn"
            left, right = (" at the first place and ".join(_first_and_last(findings, name)) for name in pair)
            yield f"Reading from the left alone it loses {left}, from the right alone {right}: the end that suffers {turns} with the direction."
