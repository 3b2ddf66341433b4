"""Gradients: how they fade on the way from the last step back to the first, and how they explode.

The loss depends on the last state alone, as for a decoder that is given a thought vector. A Transformer has no chain of
states; for it the gradient with respect to the embedded source is measured. Exploding gradients are in `explosion`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, geometric_mean
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nmt.atomic import JsonObject
from nmt.data.batches import Batch
from nmt.errors import Log
from nmt.lab.experiments import explosion
from nmt.lab.experiments.architectures import (
    EMBEDDING,
    HIDDEN,
    INITIAL,
    NAMES,
    RECURRENT,
    architecture,
    reading_cell,
    resolve,
)
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Value, Verdict
from nmt.lab.experiments.learning import learn
from nmt.lab.experiments.span import BATCH, PEAK, VOCABULARY, recall, share_right
from nmt.lab.experiments.traces import trace_gates, unroll
from nmt.lab.plotting import curves, style
from nmt.models.cells import GATES, Cell
from nmt.models.protocol import Memory, TranslationModel
from nmt.models.recurrent import RecurrentModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUESTION = "How much gradient reaches the first step, and what do gates and clipping do about it?"
STEPS, LONG, LEARNED, EXAMPLES = 50, 100, 10, 64
"""Steps a gradient goes back; more steps, before training only; steps of the task learned; examples of a mean."""
VANISHED = 1e-3
"""A gradient has vanished if at most this share of it reaches the first step."""
UNHINDERED, FAR = 0.5, 1000
"""A highway keeps at least this share over this many steps."""


@dataclass(frozen=True)
class Highway:
    """The path through an LSTM's cell state: norms of dL/dc_t by step, means over examples, and the forget gates.

    The loss reads h of the last step, so no gradient enters its cell state: the path ends one step before.
    """

    norms: list[float]
    forget: float
    """The mean forget gate over examples, steps and units."""
    gates: float
    """The product of the forget gates along the path, mean over examples and units: its gradient by itself."""

    @property
    def predicted(self) -> float:
        """The gradient if every forget gate had the mean value: f^steps."""
        return float(self.forget ** (len(self.norms) - 2))

    @property
    def decay(self) -> float:
        """The share of the gradient that reaches the first cell state, by the cell and by the gates that read h."""
        return self.norms[0] / self.norms[-2]


@dataclass(frozen=True)
class Flow:
    """Norms of gradients with respect to each step's hidden state, and its h and c together, means over examples."""

    hidden: list[float]
    state: list[float]
    highway: Highway | None

    @property
    def ratio(self) -> float:
        """The norm at the first step over the norm at the last."""
        return self.hidden[0] / self.hidden[-1]


def flow(model: RecurrentModel, batch: Batch) -> Flow:
    """The gradient norms of a batch along the states of the encoder, in the precision of the model's weights."""
    cell, embedded = reading_cell(model), model.embed_source(batch.source)
    states = unroll(cell, embedded)[1:]
    slots = cell.output(states[-1]).unsqueeze(1)
    loss = _loss(model, Memory(slots, batch.source_mask[:, :1], model.attention.keys(slots)), batch)
    gradients = torch.stack(torch.autograd.grad(loss, states), 1)  # (batch, time, state)
    highway = _highway(cell, embedded, gradients[..., cell.hidden :]) if "forget" in GATES[cell.kind] else None
    return Flow(_means(cell.output(gradients)), _means(gradients), highway)


@torch.no_grad()
def _highway(cell: Cell, embedded: Tensor, gradients: Tensor) -> Highway:
    forget = trace_gates(cell, embedded)["forget"]
    return Highway(_means(gradients), forget.mean().item(), forget[:, 1:-1].prod(1).mean().item())


def embedded_flow(model: TranslationModel, batch: Batch) -> Flow:
    """The norms of gradients with respect to the embedded source, for a model without a chain of states."""
    embedded: list[Tensor] = []
    hook = model.get_submodule("embed_source").register_forward_hook(lambda *given: embedded.append(given[2]))
    loss = _loss(model, model.encode(batch.source, batch.source_mask), batch)
    hook.remove()
    norms = _means(torch.autograd.grad(loss, embedded)[0])
    return Flow(norms, norms, None)


def _loss(model: TranslationModel, memory: Memory, batch: Batch) -> Tensor:
    """The loss of the first target token, summed over examples, which keeps the gradient of each example its own."""
    logits = model.decode(batch.previous[:, :1], memory)
    return functional.cross_entropy(logits[:, 0], batch.expected[:, 0], reduction="sum")


def _means(gradients: Tensor) -> list[float]:
    """One norm for each step, mean over examples, from ``(batch, time, width)``."""
    norms: list[float] = gradients.norm(dim=-1).mean(0).tolist()
    return norms


@dataclass(frozen=True)
class Measurement:
    """One model of one seed, before training in double and single precision and over more steps, and after training."""

    start: Flow
    single: Flow
    long: Flow
    trained: Flow
    recalled: float
    """Share of first tokens recalled after training, at the length that was learned."""


def measure(name: str, seed: int, updates: int) -> Measurement:
    """Measures an untrained model, trains it to recall the first token, and measures it again on the same examples."""
    model = architecture(name, vocabulary=VOCABULARY, seed=seed)
    batch, long = (recall(steps - 1, EXAMPLES)(np.random.default_rng([seed, 2])) for steps in (STEPS, LONG))
    single = _flow(name, model, batch)
    start, longer = _flow(name, model.double(), batch), _flow(name, model, long)
    learn(model.float(), recall(LEARNED - 1), updates=updates, seed=seed, peak=PEAK)
    recalled = share_right(model, recall(LEARNED - 1, 500)(np.random.default_rng([seed, 3])))
    return Measurement(start, single, longer, _flow(name, model.double(), batch), recalled)


def _flow(name: str, model: TranslationModel, batch: Batch) -> Flow:
    return flow(cast("RecurrentModel", model), batch) if name in RECURRENT else embedded_flow(model, batch)


Results = Mapping[str, Sequence[Measurement]]
"""By model, one for each seed."""


def judge_vanishing(ratios: Mapping[str, float]) -> Verdict | None:
    """Whether gradients vanish in tanh cells and not in LSTMs; None unless both were measured.

    It holds if that is so of all, and under conditions if they vanish in all tanh cells and in some LSTMs but not all.
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
    """Whether the cell state is an unhindered highway over a thousand steps, by the mean forget gate of each LSTM."""
    kept = [gate**FAR >= UNHINDERED for gate in forget.values()]
    return "holds" if all(kept) else "holds under conditions" if any(kept) else "does not hold"


def vanishing(results: Results) -> list[Claim]:
    """B3, if tanh cells and LSTMs were measured."""
    start, trained = (
        {name: mean([getattr(each, when).ratio for each in found]) for name, found in results.items()}
        for when in ("start", "trained")
    )
    pairs = (("lstm-torch", "tanh-torch"), ("lstm-0", "tanh"))
    untrained = [f"; untrained, {_compared(start, *pair)}" for pair in pairs if start.keys() >= set(pair)]
    number = (
        f"of dL/dh_T over {STEPS} steps dL/dh_1 keeps, before training, {_listed(start)}; after it {_listed(trained)}"
        f"{''.join(untrained)} (vanished: {VANISHED:g} or less, before training)"
    )
    verdict = judge_vanishing(start)
    return [Claim(id="B3", number=number, verdict=verdict)] if verdict else []


def highway(results: Results) -> list[Claim]:
    """C2, if LSTMs were measured."""
    paths = {name: [each.start.highway for each in found if each.start.highway] for name, found in results.items()}
    paths = {name: found for name, found in paths.items() if found}
    forget = {name: fmean(path.forget for path in found) for name, found in paths.items()}
    predicted, gates, decay = (
        _listed({name: mean([getattr(path, part) for path in found]) for name, found in paths.items()})
        for part in ("predicted", "gates", "decay")
    )
    number = (
        f"mean forget gate f before training: {_listed(forget)}; over {STEPS - 2} steps f^t is {predicted}, the "
        f"product of the gates {gates}, and the cell's gradient, which flows through the gates too, keeps {decay}; "
        f"f^{FAR} is {_listed({name: f**FAR for name, f in forget.items()})} "
        f"(0.99^{FAR} = {0.99**FAR:.1g}, 0.999^{FAR} = {0.999**FAR:.2f})"
    )
    return [Claim(id="C2", number=number, verdict=judge_highway(forget))] if forget else []


def _compared(ratios: Mapping[str, float], one: str, other: str) -> str:
    return f"{one} loses {'at least as much as' if ratios[one] <= ratios[other] else 'less than'} {other}"


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2g}" for name, value in values.items())


COLUMNS = (
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
)


def run(settings: Settings, log: Log) -> Outcome:
    """Measures each model with each seed, and trains tanh cells with enlarged recurrent matrices."""
    seeds, results = range(1, settings.seeds + 1), dict[str, list[Measurement]]()
    for name in resolve(settings.cells):
        for seed in seeds:
            one = measure(name, seed, settings.updates)
            ratios = f"{one.start.ratio:.2g} before, {one.trained.ratio:.2g} after training"
            log(f"{name}, seed {seed}: ratio {ratios} (recall {one.recalled:.2f})")
            results.setdefault(name, []).append(one)
    brief = min(settings.updates, explosion.UPDATES)
    trainings = explosion.train_all(seeds, brief, log)
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings, brief),
        columns=COLUMNS,
        rows=tuple(_row(name, found) for name, found in results.items()),
        claims=(*vanishing(results), *highway(results), explosion.claim(trainings, brief)),
        notes=(
            "ratio: norm of dL/dh_1 over norm of dL/dh_T in fp64, with lowest..highest seed; transformer: of dL/d "
            "embedded token, 1 over T",
            "means over seeds are geometric but for gates and recall; h and c: both parts of an LSTM's state together; "
            f"over {STEPS - 2} steps of the cell: f^t of the mean forget gate, the product of the gates, and the decay "
            "of the cell's gradient along all paths",
            "a model that does not recall has not learned to pass gradients back: its trained ratio is that of a "
            "failed training",
            *(f"explosion: {line}" for line in explosion.lines(trainings)),
        ),
        details={
            "models": {name: [asdict(each) for each in found] for name, found in results.items()},
            "explosion": [asdict(each) for each in trainings],
        },
        figure=lambda: draw(results),
    )


def _row(name: str, found: Sequence[Measurement]) -> tuple[Value, ...]:
    start, trained = [one.start for one in found], [one.trained for one in found]
    paths, later = ([one.highway for one in flows if one.highway] for flows in (start, trained))
    return (
        name,
        _over([one.ratio for one in start]),
        _short([one.single.ratio for one in found]),
        _short([one.long.ratio for one in found]),
        _short([one.state[0] / one.state[-1] for one in start]),
        round(fmean(one.forget for one in paths), 3) if paths else None,
        *(_short([getattr(one, part) for one in paths]) if paths else None for part in ("predicted", "gates", "decay")),
        _over([one.ratio for one in trained]),
        round(fmean(one.forget for one in later), 3) if later else None,
        round(fmean(one.recalled for one in found), 2),
    )


def _over(values: Sequence[float]) -> str:
    """Mean, lowest and highest."""
    return f"{_short(values)} ({min(values):.0e}..{max(values):.0e})"


def _short(values: Sequence[float]) -> str:
    return f"{mean(values):.1e}"


def mean(values: Sequence[float]) -> float:
    """The geometric mean; 0 if a value underflowed to 0."""
    return geometric_mean(values) if min(values) > 0.0 else 0.0


def draw(results: Results) -> Figure:
    """Norms by step as shares of that at the last step, before training and after."""
    figure, charts = style.subplots(10.5, 4.4, columns=2)
    titles = ("before training", f"after training on {LEARNED} steps")
    for axes, title, when in zip(charts, titles, ("start", "trained"), strict=True):
        lines = [_curve(name, [getattr(one, when).hidden for one in found]) for name, found in results.items()]
        curves.draw(axes, lines, x="step t", y="norm of dL/dh_t / norm of dL/dh_T", title=title, log_y=True)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    charts[0].get_legend().set_visible(False)  # type: ignore[union-attr]  # it was made in the loop
    return figure


def _curve(name: str, norms: Sequence[Sequence[float]]) -> curves.Curve:
    """Every seventh step from the last one back, with a band over seeds."""
    steps = list(range(len(norms[0]), 0, -7))[::-1]
    shares = [[each[step - 1] / each[-1] for each in norms] for step in steps]
    label = name if name in RECURRENT else f"{name} (dL/dx)"
    return curves.Curve(label, steps, list(map(mean, shares)), list(map(min, shares)), list(map(max, shares)))


def _conditions(settings: Settings, brief: int) -> JsonObject:
    rates = ", ".join(f"{name} {rate}" for name, rate in explosion.RATES.items())
    gains = " or ".join(f"{gain:g}" for gain in explosion.GAINS)
    return {
        "steps": f"{STEPS} and {LONG}: random tokens and an end token; the loss is that of the first token, asked for "
        "after the last step",
        "models": f"thought vector of a forward encoder, {HIDDEN} hidden units, embedding {EMBEDDING}, 1 layer; "
        f"transformer: width {HIDDEN}, 1 layer",
        "initial weights": INITIAL,
        "training": f"recall over {LEARNED} steps, {settings.updates} updates of {BATCH} sequences, AdamW, peak "
        f"{PEAK}, cosine, norms clipped at 1, fp32",
        "explosion": f"tanh, recurrent matrix times {gains}, recall over {explosion.STEPS} steps, {brief} updates, "
        f"constant learning rates {rates}, clipped at {explosion.THRESHOLD} or not",
        "seeds": settings.seeds,
        "examples": EXAMPLES,
        "precision": "fp64 for gradients unless fp32 is said",
    }


EXPERIMENT = Experiment(
    question=QUESTION,
    defaults=Settings(
        cells=("tanh", "tanh-torch", "gru", "lstm-0", "lstm-1", "lstm-5", "lstm-torch", "transformer"),
        seeds=3,
        updates=300,
    ),
    run=run,
    known=tuple(name for name in NAMES if name != "attention"),
)
