"""How a gradient fades on its way back from the last step to the first, in each cell, before and after training; and how it explodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, geometric_mean
from typing import TYPE_CHECKING

import numpy as np

from nmt.lab.experiments import explosion
from nmt.lab.experiments.architectures import EMBEDDING, HIDDEN, INITIAL, NAMES, architecture, resolve
from nmt.lab.experiments.experiment import Cell, Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.flow import Flow, flow
from nmt.lab.experiments.learning import learn
from nmt.lab.experiments.span import BATCH, PEAK, VOCABULARY, recall, share_right
from nmt.lab.plotting import curves, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS, LONG, LEARNED, EXAMPLES = 50, 100, 10, 64
"""Steps that a gradient goes back, in the table and once more at the start; steps of the task that is learned; examples it is averaged over."""
VANISHED = 1e-3
"""A gradient of which this share or less comes back has vanished."""
UNHINDERED, FAR = 0.5, 1000
"""The share that must be left after so many steps for a highway to be one."""


@dataclass(frozen=True)
class Life:
    """One model of one seed: what flows back at the start, in double and single precision and over more steps, and after training."""

    start: Flow
    single: Flow
    long: Flow
    trained: Flow
    recalled: float
    """Share of first pieces recalled after training, at the length that was learned."""


def live(name: str, seed: int, updates: int) -> Life:
    """Measures a fresh model, trains it at first-piece recall, and measures it again on the same examples."""
    model = architecture(name, vocabulary=VOCABULARY, seed=seed)
    batch, long = (recall(steps - 1, EXAMPLES)(np.random.default_rng([seed, 2])) for steps in (STEPS, LONG))
    single = flow(model, batch)
    start, longer = flow(model.double(), batch), flow(model, long)
    learn(model.float(), recall(LEARNED - 1), updates=updates, seed=seed, peak=PEAK)
    recalled = share_right(model, recall(LEARNED - 1, 500)(np.random.default_rng([seed, 3])))
    return Life(start, single, longer, flow(model.double(), batch), recalled)


def judge_vanishing(ratios: Mapping[str, float]) -> Verdict | None:
    """Whether gradients vanish in tanh cells and not in LSTMs, by what comes back in each; None where either was not measured.

    It holds if that is so of all, and under conditions if all tanh cells and some LSTMs lose it but not all LSTMs.
    """
    tanh, lstm = (
        [ratio <= VANISHED for name, ratio in ratios.items() if name.startswith(kind)] for kind in ("tanh", "lstm")
    )
    if not tanh or not lstm:
        return None
    if not all(tanh) or all(lstm):
        return "does not hold"
    return "holds under conditions" if any(lstm) else "holds"


def judge_highway(forget: Mapping[str, float]) -> Verdict:
    """Whether a cell is an unhindered highway over a thousand steps, by the mean forget gate of each LSTM: of all, of some, or of none."""
    kept = [gate**FAR >= UNHINDERED for gate in forget.values()]
    return "holds" if all(kept) else "holds under conditions" if any(kept) else "does not hold"


def vanishing(lives: Mapping[str, Sequence[Life]]) -> list[Claim]:
    """Row B3, where tanh cells and LSTMs were measured."""
    start, trained = (
        {name: mean([getattr(each, when).ratio for each in found]) for name, found in lives.items()}
        for when in ("start", "trained")
    )
    pairs = (("lstm-torch", "tanh-torch"), ("lstm-0", "tanh"))
    fresh = [f"; fresh, {_faster(start, *pair)}" for pair in pairs if start.keys() >= set(pair)]
    number = f"of dL/dh_T over {STEPS} steps dL/dh_1 keeps, before training, {_listed(start)}; after it {_listed(trained)}{''.join(fresh)}"
    verdict = judge_vanishing(start)
    return (
        [Claim(id="B3", number=f"{number} (vanished: {VANISHED:g} or less, before training)", verdict=verdict)]
        if verdict
        else []
    )


def highway(lives: Mapping[str, Sequence[Life]]) -> list[Claim]:
    """Row C2, where LSTMs were measured."""
    ways = {name: [each.start.highway for each in found if each.start.highway] for name, found in lives.items()}
    ways = {name: found for name, found in ways.items() if found}
    forget = {name: fmean(way.forget for way in found) for name, found in ways.items()}
    foretold, gates, decay = (
        _listed({name: mean([getattr(way, part) for way in found]) for name, found in ways.items()})
        for part in ("predicted", "gates", "decay")
    )
    number = (
        f"mean forget gate f before training: {_listed(forget)}; over {STEPS - 2} steps f^t is {foretold}, the gates' own product {gates}, "
        f"and the cell's gradient, which also comes by the gates, keeps {decay}; f^{FAR} is {_listed({name: f**FAR for name, f in forget.items()})} "
        f"(0.99^{FAR} = {0.99**FAR:.1g}, 0.999^{FAR} = {0.999**FAR:.2f})"
    )
    return [Claim(id="C2", number=number, verdict=judge_highway(forget))] if forget else []


def _faster(ratios: Mapping[str, float], one: str, other: str) -> str:
    return f"{one} loses {'at least as much as' if ratios[one] <= ratios[other] else 'less than'} {other}"


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2g}" for name, value in values.items())


def run(options: Options, log: Log) -> Outcome:
    """Measures each cell in each seed, and lets a tanh cell explode."""
    updates, seeds, lives = options.updates or 0, range(1, (options.seeds or 0) + 1), dict[str, list[Life]]()
    for name in resolve(options.cells or ()):
        for seed in seeds:
            one = live(name, seed, updates)
            log(
                f"{name}, seed {seed}: ratio {one.start.ratio:.2g} before, {one.trained.ratio:.2g} after training (recall {one.recalled:.2f})"
            )
            lives.setdefault(name, []).append(one)
    brief = min(updates, explosion.UPDATES)
    blasts = explosion.explode(seeds, brief, log)
    return Outcome(
        question=EXPERIMENT.question,
        conditions=_conditions(updates, len(seeds), brief),
        columns=(
            "model",
            f"ratio, T = {STEPS}",
            "in fp32",
            f"T = {LONG}",
            "h and c",
            "forget gate",
            "f^t",
            "gates' product",
            "cell's decay",
            "ratio, trained",
            "forget gate, trained",
            f"recall, T = {LEARNED}",
        ),
        rows=tuple(_row(name, found) for name, found in lives.items()),
        claims=(*vanishing(lives), *highway(lives), explosion.claim(blasts, brief)),
        notes=(
            "ratio: norm of dL/dh_1 over norm of dL/dh_T in fp64, with lowest..highest seed; transformer: of dL/d embedded piece, 1 over T",
            f"means over seeds are geometric but for gates and recall; h and c: both parts of an LSTM's state together; over {STEPS - 2} steps of "
            "the cell: f^t of the mean forget gate, the product of the gates themselves, and the decay of its gradient, by all ways",
            "a model that does not recall has not learned to pass gradients back: its trained ratio is that of a failed training",
            *(f"explosion: {line}" for line in explosion.lines(blasts)),
        ),
        details={
            "models": {name: [asdict(each) for each in found] for name, found in lives.items()},
            "explosion": [asdict(each) for each in blasts],
        },
        figure=lambda: draw(lives),
    )


def _row(name: str, lives: Sequence[Life]) -> tuple[Cell, ...]:
    start, trained = [one.start for one in lives], [one.trained for one in lives]
    ways, later = ([one.highway for one in flows if one.highway] for flows in (start, trained))
    return (
        name,
        _over([one.ratio for one in start]),
        _short([one.single.ratio for one in lives]),
        _short([one.long.ratio for one in lives]),
        _short([one.state[0] / one.state[-1] for one in start]),
        round(fmean(one.forget for one in ways), 3) if ways else None,
        *(_short([getattr(one, part) for one in ways]) if ways else None for part in ("predicted", "gates", "decay")),
        _over([one.ratio for one in trained]),
        round(fmean(one.forget for one in later), 3) if later else None,
        round(fmean(one.recalled for one in lives), 2),
    )


def _over(values: Sequence[float]) -> str:
    """Mean, lowest and highest."""
    return f"{_short(values)} ({min(values):.0e}..{max(values):.0e})"


def _short(values: Sequence[float]) -> str:
    return f"{mean(values):.1e}"


def mean(values: Sequence[float]) -> float:
    """The geometric mean; 0 where single precision left nothing."""
    return geometric_mean(values) if min(values) > 0.0 else 0.0


def draw(lives: Mapping[str, Sequence[Life]]) -> Figure:
    """Norms against t, as shares of that at the last step: before training and after."""
    figure, panels = style.subplots(10.5, 4.4, columns=2)
    titles = ("before training", f"after training on {LEARNED} steps")
    for panel, title, pick in zip(panels, titles, ("start", "trained"), strict=True):
        lines = [_curve(name, [getattr(one, pick).hidden for one in found]) for name, found in lives.items()]
        curves.draw(panel, lines, x="step t", y="norm of dL/dh_t / norm of dL/dh_T", title=title, log_y=True)
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    panels[0].get_legend().set_visible(False)  # type: ignore[union-attr]  # it was made in the loop
    return figure


def _curve(name: str, norms: Sequence[Sequence[float]]) -> curves.Curve:
    """Every seventh step from the last one back to the first, over the seeds."""
    steps = list(range(len(norms[0]), 0, -7))[::-1]
    shares = [[each[step - 1] / each[-1] for each in norms] for step in steps]
    label = f"{name} (dL/dx)" if name == "transformer" else name
    return curves.Curve(label, steps, list(map(mean, shares)), list(map(min, shares)), list(map(max, shares)))


def _conditions(updates: int, seeds: int, brief: int) -> dict[str, object]:
    rates = ", ".join(f"{name} {rate}" for name, rate in explosion.RATES.items())
    return {
        "steps": f"{STEPS} and {LONG}: random pieces and an end piece; the loss is that of the first piece, asked for after the last step",
        "models": f"thought vector of a forward reader, {HIDDEN} hidden units, embedding {EMBEDDING}, 1 layer; transformer: width {HIDDEN}, 1 layer",
        "initial weights": INITIAL,
        "training": f"recall over {LEARNED} steps, {updates} updates of {BATCH} sequences, AdamW, peak {PEAK}, cosine, norms clipped at 1, fp32",
        "explosion": f"tanh, recurrent matrix times {' or '.join(f'{gain:g}' for gain in explosion.GAINS)}, recall over {explosion.STEPS} steps, "
        f"{brief} updates, constant learning rates {rates}, clipped at {explosion.THRESHOLD} or not",
        "seeds": seeds,
        "examples": EXAMPLES,
        "precision": "fp64 for gradients unless fp32 is said",
    }


EXPERIMENT = Experiment(
    question="How much gradient reaches the first step, and what do gates and clipping do about it?",
    defaults=Options(
        cells=("tanh", "tanh-torch", "gru", "lstm-0", "lstm-1", "lstm-5", "lstm-torch", "transformer"),
        seeds=3,
        updates=300,
    ),
    run=run,
    known=tuple(name for name in NAMES if name != "attention"),
)
