"""Span: over how many steps does each model learn to remember, under a stated budget?

What is asked for was read T steps before the end. Tasks: `recall`, the first of T random tokens; `copy`, ten random
tokens before T blanks; `adding`, the sum of two marked numbers among T (Hochreiter and Schmidhuber 1997). Each length
is learned from new weights, so a span is a statement about the budget as well as the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nmt.atomic import JsonObject
from nmt.data.batches import Batch, collate
from nmt.data.vocabulary import BOS
from nmt.errors import Log
from nmt.lab.experiments.architectures import EMBEDDING, HIDDEN, INITIAL, NAMES, architecture, resolve
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN, DrawBatch, learn_task
from nmt.lab.plotting import curves, style
from nmt.models.protocol import TranslationModel
from nmt.training.objective import Loss, objective
from nmt.training.step import Update

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUESTION = "Over how many steps does each model learn to remember?"
LENGTHS = (5, 10, 20, 50, 100, 200)
SYMBOLS, COPIED, BATCH, PEAK = 8, 10, 32, 3e-3
BLANK = FIRST_TOKEN + SYMBOLS
VOCABULARY = BLANK + 1
GOOD = 0.9
"""The score from which a length counts as remembered."""
EVERY, CHECK, TEST = 25, 128, 500
"""Updates between checks whether the task is learned, examples of a check, and examples of the test."""


def recall(time: int, size: int = BATCH) -> DrawBatch:
    """Random tokens ``(batch, time)``; the target is the first of them."""

    def draw(generator: np.random.Generator) -> Batch:
        tokens = generator.integers(FIRST_TOKEN, BLANK, (size, time))
        return collate(tokens.tolist(), tokens[:, :1].tolist())

    return draw


def copy(time: int, size: int = BATCH) -> DrawBatch:
    """Ten random tokens and then ``time`` blanks; the target is the ten."""

    def draw(generator: np.random.Generator) -> Batch:
        tokens = generator.integers(FIRST_TOKEN, BLANK, (size, COPIED)).tolist()
        return collate([[*each, *[BLANK] * time] for each in tokens], tokens)

    return draw


def adding(time: int, size: int = BATCH) -> DrawBatch:
    """Numbers in 0..1 with marks ``(batch, time, 2)``; expected is the sum of the two marked numbers ``(batch, 1)``."""

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
    """The share of target tokens that are ranked first under teacher forcing, end tokens left out."""
    asked = batch.target_mask & (batch.expected >= FIRST_TOKEN)
    right = model(batch.source, batch.source_mask, batch.previous).argmax(-1) == batch.expected
    return float(right[asked].float().mean())


@torch.no_grad()
def share_explained(model: TranslationModel, batch: Batch) -> float:
    """1 - mean squared error / (1/6), at least 0. The variance of the sum is 1/6: the error of always answering 1."""
    return max(0.0, 1.0 - 6.0 * functional.mse_loss(number(model, batch), batch.expected).item())


def number(model: TranslationModel, batch: Batch) -> Tensor:
    """The number that a model answers, ``(batch, 1)``: the first logit of the first step."""
    logits: Tensor = model(batch.source, batch.source_mask, batch.previous)
    return logits[:, :, 0]


def squared_error(model: TranslationModel, batch: Batch) -> Loss:
    """The loss of tasks whose answer is a number."""
    loss = functional.mse_loss(number(model, batch), batch.expected, reduction="sum")
    return Loss(loss, loss.detach(), batch.expected.numel())


@dataclass(frozen=True)
class Task:
    """How examples of a length are drawn, the loss, the score in 0..1, and what the score means."""

    draw: Callable[[int, int], DrawBatch]
    loss: Callable[[TranslationModel, Batch], Loss]
    score: Callable[[TranslationModel, Batch], float]
    measure: str
    perfect: float
    """The score of a check that ends training early."""
    numbers: bool = False
    """Whether the source is numbers instead of tokens."""


TASKS = {
    "recall": Task(recall, objective, share_right, "share of first tokens recalled (chance 0.125)", 1.0),
    "copy": Task(copy, objective, share_right, "share of ten tokens reproduced (chance 0.125)", 1.0),
    "adding": Task(
        adding,
        squared_error,
        share_explained,
        "1 - squared error / (1/6), the share explained (chance 0)",
        0.99,
        numbers=True,
    ),
}

Scores: TypeAlias = list[float | None]
"""By length; None where it was not run."""


def attempt(name: str, task: Task, time: int, seed: int, updates: int) -> tuple[float, int]:
    """Trains a new model on one length; its score on fresh examples, and the updates that were made."""
    model = architecture(name, vocabulary=VOCABULARY, seed=seed, numbers=task.numbers)
    fresh, made = np.random.default_rng([seed, 2]), 0

    def learned(update: int, done: Update) -> bool:
        nonlocal made
        made = update
        return update % EVERY == 0 and task.score(model, task.draw(time, CHECK)(fresh)) >= task.perfect

    learn_task(model, task.draw(time, BATCH), task.loss, updates=updates, seed=seed, peak=PEAK, stop=learned)
    return task.score(model, task.draw(time, TEST)(np.random.default_rng([seed, 3]))), made


def scores_by_length(name: str, task: Task, seed: int, updates: int, log: Log) -> Scores:
    """The score at each length; after two failures in a row, longer lengths are not run."""
    scores: Scores = []
    for time in LENGTHS:
        if len(scores) > 1 and not any(map(remembered, scores[-2:])):
            scores.append(None)
            continue
        score, made = attempt(name, task, time, seed, updates)
        log(f"{name}, seed {seed}, T = {time}: {score:.3f} after {made} updates")
        scores.append(score)
    return scores


def remembered(score: float | None) -> bool:
    """Whether a score counts as remembering."""
    return score is not None and score >= GOOD


def span(scores: Scores) -> int:
    """The largest length that was remembered, or 0."""
    return max((time for time, score in zip(LENGTHS, scores, strict=True) if remembered(score)), default=0)


def judge(spans: Mapping[str, Sequence[int]]) -> Verdict | None:
    """Whether tanh cells remember 10 to 20 steps and LSTMs at least 100, by span and seed; None unless both were
    measured.

    It holds if that is so of every cell and seed, and under conditions if no tanh cell reaches 50 and some LSTM reaches
    100 in every seed. It is not answered if none remembers the shortest length.
    """
    tanh, lstm = ([found for name, found in spans.items() if name.startswith(kind)] for kind in ("tanh", "lstm"))
    if not tanh or not lstm:
        return None
    if not any(each for found in (*tanh, *lstm) for each in found):
        return "not answered"
    short = all(10 <= each <= 20 for found in tanh for each in found)
    if short and all(each >= 100 for found in lstm for each in found):
        return "holds"
    apart = max(map(max, tanh)) < 50 and max(map(min, lstm)) >= 100
    return "holds under conditions" if apart else "does not hold"


def run(settings: Settings, log: Log) -> Outcome:
    """Trains every model at every length with every seed."""
    task, seeds = TASKS[settings.task], range(1, settings.seeds + 1)
    scores = {
        name: [scores_by_length(name, task, seed, settings.updates, log) for seed in seeds]
        for name in resolve(settings.cells)
    }
    spans = {name: [span(each) for each in found] for name, found in scores.items()}
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=("model", f"longest T at {GOOD:.0%}", *(f"T = {time}" for time in LENGTHS)),
        rows=tuple(
            (name, _range(spans[name]), *map(_over_seeds, zip(*found, strict=True))) for name, found in scores.items()
        ),
        claims=claims(spans, settings),
        notes=(
            f"scores are the {task.measure}: mean over seeds, with lowest..highest",
            "the longest T counts also if a shorter one was missed",
            "not run: the two next shorter lengths were not remembered",
            "a span says what was learned under this budget, not what a cell could learn",
        ),
        details={"lengths": LENGTHS, "scores": scores, "spans": spans},
        figure=lambda: draw(scores, task.measure),
    )


def claims(spans: Mapping[str, Sequence[int]], settings: Settings) -> tuple[Claim, ...]:
    """B6, if tanh cells and LSTMs were measured."""
    verdict = judge(spans)
    budget = f"{settings.updates} updates of {BATCH} sequences, {HIDDEN} hidden units, seeds 1 to {settings.seeds}"
    found = "; ".join(f"{name} {_range(each)}" for name, each in spans.items())
    number = f"{settings.task}, longest T at a score of {GOOD}: {found} steps ({budget})"
    return (Claim(id="B6", number=number, verdict=verdict),) if verdict else ()


def draw(scores: Mapping[str, Sequence[Scores]], measure: str) -> Figure:
    """Scores by length, a line for each model with the band of its seeds."""
    figure, (axes,) = style.subplots(8.5, 4.6)
    lines = []
    for name, found in scores.items():
        ran = [[score for score in each if score is not None] for each in zip(*found, strict=True)]
        mean, low, high = ([statistic(each) if each else None for each in ran] for statistic in (fmean, min, max))
        lines.append(curves.Curve(name, LENGTHS, mean, low, high))
    curves.draw(axes, lines, x="steps between what is asked for and the end (T)", y=measure, log_x=True)
    axes.axhline(GOOD, color="#333333", linewidth=0.8)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def _over_seeds(scores: tuple[float | None, ...]) -> str:
    """Mean, lowest and highest score of one length."""
    ran = [score for score in scores if score is not None]
    if not ran:
        return "not run"
    seeds = "" if len(ran) == len(scores) else f", {len(ran)} of {len(scores)} seeds"
    return f"{fmean(ran):.2f} ({min(ran):.2f}..{max(ran):.2f}{seeds})"


def _range(spans: Sequence[int]) -> str:
    """Spans over seeds: `20`, `10 to 20`, and `under 5` for none."""
    low, high = (str(each) if each else f"under {LENGTHS[0]}" for each in (min(spans), max(spans)))
    return low if low == high else f"{low} to {high}"


def _conditions(settings: Settings) -> JsonObject:
    return {
        "task": settings.task,
        "budget": f"at most {settings.updates} updates of {BATCH} sequences at each length, from new weights; ended "
        f"early when {CHECK} fresh examples, checked every {EVERY} updates, are answered (recall, copy: all; adding: "
        "99 % explained)",
        "optimizer": f"AdamW, peak {PEAK}, warmup of {settings.updates // 20} updates, then cosine; norms clipped "
        "at 1; precision fp32",
        "models": f"thought vector of a forward encoder, {HIDDEN} hidden units, embedding {EMBEDDING}, 1 layer; "
        f"attention: additive over an LSTM of forget bias 1; transformer: width {HIDDEN}, 4 heads, 1 layer",
        "initial weights": INITIAL,
        "tokens": f"{SYMBOLS} symbols; an end token follows the T tokens",
        "seeds": settings.seeds,
        "test examples": TEST,
    }


EXPERIMENT = Experiment(
    question=QUESTION,
    defaults=Settings(
        cells=("tanh", "tanh-torch", "gru", "lstm-0", "lstm-1", "lstm-5", "attention", "transformer"),
        seeds=2,
        updates=500,
        task="recall",
    ),
    run=run,
    known=NAMES,
    tasks=tuple(TASKS),
)
