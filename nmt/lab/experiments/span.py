"""How far back each architecture remembers under a stated budget: what was asked for stands T steps before the end of what was read.

Three tasks: `recall`, the first of T random pieces; `copy`, ten random pieces before T blanks; `adding`, the sum of two marked numbers among
T (Hochreiter and Schmidhuber 1997). Each length is learned from fresh weights, so a span is a statement about a budget, not a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.data.batches import Batch, collate
from nmt.data.vocabulary import BOS
from nmt.lab.experiments.architectures import EMBEDDING, HIDDEN, INITIAL, NAMES, architecture, resolve
from nmt.lab.experiments.experiment import Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.learning import FIRST, DrawBatch, learn
from nmt.lab.plotting import curves, style
from nmt.models.protocol import TranslationModel
from nmt.training.schedules import learning_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LENGTHS = (5, 10, 20, 50, 100, 200)
SYMBOLS, COPIED, BATCH, PEAK = 8, 10, 32, 3e-3
BLANK = FIRST + SYMBOLS
VOCABULARY = BLANK + 1
BAR = 0.9
"""The score that counts as remembering."""
EVERY, CHECK, TEST = 25, 128, 500
"""Updates between checks for an early end, and the fresh examples of a check and of the test."""


def recall(time: int, size: int = BATCH) -> DrawBatch:
    """Random pieces ``(batch, time)``; the target is the first of them."""

    def draw(generator: np.random.Generator) -> Batch:
        pieces = generator.integers(FIRST, BLANK, (size, time))
        return collate(pieces.tolist(), pieces[:, :1].tolist())

    return draw


def copy(time: int, size: int = BATCH) -> DrawBatch:
    """Ten random pieces and then ``time`` blanks; the target is the ten."""

    def draw(generator: np.random.Generator) -> Batch:
        pieces = generator.integers(FIRST, BLANK, (size, COPIED)).tolist()
        return collate([[*each, *[BLANK] * time] for each in pieces], pieces)

    return draw


def adding(time: int, size: int = BATCH) -> DrawBatch:
    """Numbers in 0..1 beside marks ``(batch, time, 2)``, one mark in each half; expected ``(batch, 1)`` is the sum of the marked two."""

    def draw(generator: np.random.Generator) -> Batch:
        numbers, marks, rows = generator.random((size, time)), np.zeros((size, time)), np.arange(size)
        for low, high in ((0, time // 2), (time // 2, time)):
            marks[rows, generator.integers(low, high, size)] = 1.0
        source = torch.tensor(np.stack([numbers, marks], -1), dtype=torch.float32)
        real = torch.ones(size, 1, dtype=torch.bool)
        sums = torch.tensor((numbers * marks).sum(1, keepdims=True), dtype=torch.float32)
        return Batch(source, real.expand(size, time), torch.full((size, 1), BOS), sums, real)

    return draw


@torch.no_grad()
def share_right(model: TranslationModel, batch: Batch) -> float:
    """The share of target pieces, end pieces left out, that are ranked first under teacher forcing."""
    asked = batch.target_mask & (batch.expected >= FIRST)
    right = model(batch.source, batch.source_mask, batch.previous).argmax(-1) == batch.expected
    return float(right[asked].float().mean())


@torch.no_grad()
def share_explained(model: TranslationModel, batch: Batch) -> float:
    """1 - mean squared error / (1/6), not below 0: 1/6 is the variance of the sum, the error of always answering 1."""
    return max(0.0, 1.0 - 6.0 * functional.mse_loss(number(model, batch), batch.expected).item())


def number(model: TranslationModel, batch: Batch) -> Tensor:
    """The number that a model answers, ``(batch, 1)``: the first of its logits at the first step."""
    logits: Tensor = model(batch.source, batch.source_mask, batch.previous)
    return logits[:, :, 0]


Each: TypeAlias = Callable[[int, float, float], bool]
Scores: TypeAlias = list[float | None]
"""One score a length, None where it was not run."""


def classify(model: TranslationModel, draw: DrawBatch, updates: int, seed: int, each: Each) -> None:
    """Learns pieces."""
    learn(model, draw, updates=updates, seed=seed, peak=PEAK, each=each)


def regress(model: TranslationModel, draw: DrawBatch, updates: int, seed: int, each: Each) -> None:
    """Learns numbers by squared errors, otherwise as pieces are learned."""
    generator = np.random.default_rng([seed, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)
    for update in range(1, updates + 1):
        batch = draw(generator)
        loss = functional.mse_loss(number(model, batch), batch.expected)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
        optimizer.param_groups[0]["lr"] = learning_rate(
            "cosine", update, peak=PEAK, warmup=updates // 20, total=updates
        )
        optimizer.step()
        optimizer.zero_grad()
        if each(update, loss.item(), norm):
            break


@dataclass(frozen=True)
class Task:
    """How examples of a length are drawn, learned and scored in 0..1, and what the score is."""

    draw: Callable[[int, int], DrawBatch]
    fit: Callable[[TranslationModel, DrawBatch, int, int, Each], None]
    score: Callable[[TranslationModel, Batch], float]
    measure: str
    perfect: float


TASKS = {
    "recall": Task(recall, classify, share_right, "share of first pieces recalled (chance 0.125)", 1.0),
    "copy": Task(copy, classify, share_right, "share of ten pieces reproduced (chance 0.125)", 1.0),
    "adding": Task(adding, regress, share_explained, "1 - squared error / (1/6), the share explained (chance 0)", 0.99),
}


def attempt(name: str, task: Task, time: int, seed: int, updates: int) -> tuple[float, int]:
    """The score on fresh examples of a model that has learned one length from fresh weights, and the updates that it took."""
    model = architecture(name, vocabulary=VOCABULARY, seed=seed, numbers=task.fit is regress)
    fresh, taken = np.random.default_rng([seed, 2]), 0

    def each(update: int, loss: float, norm: float) -> bool:
        nonlocal taken
        taken = update
        return update % EVERY == 0 and task.score(model, task.draw(time, CHECK)(fresh)) >= task.perfect

    task.fit(model, task.draw(time, BATCH), updates, seed, each)
    return task.score(model, task.draw(time, TEST)(np.random.default_rng([seed, 3]))), taken


def climb(name: str, task: Task, seed: int, updates: int, log: Log) -> Scores:
    """The scores at all lengths; after two lengths in a row that were not remembered, the longer ones are not run."""
    scores: Scores = []
    for time in LENGTHS:
        if len(scores) > 1 and not any(map(remembered, scores[-2:])):
            scores.append(None)
            continue
        score, taken = attempt(name, task, time, seed, updates)
        log(f"{name}, seed {seed}, T = {time}: {score:.3f} after {taken} updates")
        scores.append(score)
    return scores


def remembered(score: float | None) -> bool:
    """Whether a score reaches the bar."""
    return score is not None and score >= BAR


def span(scores: Scores) -> int:
    """The largest length that was remembered, 0 where none was."""
    return max((time for time, score in zip(LENGTHS, scores, strict=True) if remembered(score)), default=0)


def judge(spans: Mapping[str, Sequence[int]]) -> Verdict | None:
    """Whether tanh cells remember 10 to 20 steps and LSTMs 100 and more, by their spans, one a seed; None where either was not measured.

    It holds if every seed of every such cell says so, and under conditions if no tanh cell reaches 50 and some LSTM reaches 100 in every seed.
    """
    tanh, lstm = ([found for name, found in spans.items() if name.startswith(kind)] for kind in ("tanh", "lstm"))
    if not tanh or not lstm:
        return None
    if all(10 <= each <= 20 for found in tanh for each in found) and all(
        each >= 100 for found in lstm for each in found
    ):
        return "holds"
    apart = max(map(max, tanh)) < 50 and max(map(min, lstm)) >= 100
    return "holds under conditions" if apart else "does not hold"


def run(options: Options, log: Log) -> Outcome:
    """Trains every model at every length and reports how far it remembers."""
    name, updates, seeds = options.task or "recall", options.updates or 0, range(1, (options.seeds or 0) + 1)
    task = TASKS[name]
    scores = {each: [climb(each, task, seed, updates, log) for seed in seeds] for each in resolve(options.cells or ())}
    spans = {each: [span(one) for one in found] for each, found in scores.items()}
    verdict = judge(spans)
    budget = f"{updates} updates of {BATCH} sequences, {HIDDEN} hidden units, seeds 1 to {len(seeds)}"
    words = "; ".join(f"{each} {_reach(found)}" for each, found in spans.items())
    return Outcome(
        question=EXPERIMENT.question,
        conditions=_conditions(options),
        columns=("model", f"longest T at {BAR:.0%}", *(f"T = {time}" for time in LENGTHS)),
        rows=tuple(
            (each, _reach(spans[each]), *map(_across, zip(*found, strict=True))) for each, found in scores.items()
        ),
        claims=(
            Claim(id="B6", number=f"{name}, longest T at a score of {BAR}: {words} steps ({budget})", verdict=verdict),
        )
        if verdict
        else (),
        notes=(
            f"scores are the {task.measure}: mean over seeds, with lowest..highest",
            "the longest T counts also where a shorter one was missed",
            "not run: the two next shorter lengths were not remembered",
            "a span says what was learned under this budget, not what a cell could learn",
        ),
        details={"lengths": LENGTHS, "scores": scores, "spans": spans},
        figure=lambda: draw(scores, task.measure),
    )


def draw(scores: Mapping[str, Sequence[Scores]], measure: str) -> Figure:
    """Scores against the length, one line a model with the band of its seeds."""
    figure, (panel,) = style.subplots(8.5, 4.6)
    lines = []
    for name, found in scores.items():
        ran = [[score for score in each if score is not None] for each in zip(*found, strict=True)]
        mean, low, high = ([measured(each) if each else None for each in ran] for measured in (fmean, min, max))
        lines.append(curves.Curve(name, LENGTHS, mean, low, high))
    curves.draw(panel, lines, x="steps between what is asked for and the end (T)", y=measure, log_x=True)
    panel.axhline(BAR, color="#333333", linewidth=0.8)
    panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def _across(scores: tuple[float | None, ...]) -> str:
    """One length over the seeds."""
    ran = [score for score in scores if score is not None]
    if not ran:
        return "not run"
    seeds = "" if len(ran) == len(scores) else f", {len(ran)} of {len(scores)} seeds"
    return f"{fmean(ran):.2f} ({min(ran):.2f}..{max(ran):.2f}{seeds})"


def _reach(spans: Sequence[int]) -> str:
    """Spans over the seeds: `20`, `10 to 20`, and `under 5` for none."""
    low, high = (str(each) if each else f"under {LENGTHS[0]}" for each in (min(spans), max(spans)))
    return low if low == high else f"{low} to {high}"


def _conditions(options: Options) -> dict[str, object]:
    updates = options.updates or 0
    return {
        "task": options.task,
        "budget": f"at most {updates} updates of {BATCH} sequences at each length, from fresh weights; ended early when "
        f"{CHECK} fresh examples, looked at every {EVERY} updates, are answered (recall, copy: all; adding: 99 % explained)",
        "optimizer": f"AdamW, peak {PEAK}, warmup of {updates // 20} updates, then cosine; norms clipped at 1; precision fp32",
        "models": f"thought vector of a forward reader, {HIDDEN} hidden units, embedding {EMBEDDING}, 1 layer; attention: additive over an LSTM of "
        f"forget bias 1; transformer: width {HIDDEN}, 4 heads, 1 layer",
        "initial weights": INITIAL,
        "pieces": f"{SYMBOLS} symbols; an end piece follows the T pieces",
        "seeds": options.seeds,
        "test examples": TEST,
    }


EXPERIMENT = Experiment(
    question="Over how many steps does each model learn to remember?",
    defaults=Options(
        cells=("tanh", "tanh-torch", "gru", "lstm-0", "lstm-1", "lstm-5", "attention", "transformer"),
        seeds=2,
        updates=500,
        task="recall",
    ),
    run=run,
    known=NAMES,
    tasks=tuple(TASKS),
)
