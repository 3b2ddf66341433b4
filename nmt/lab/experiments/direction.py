"""Direction: can a word be read by a cue that comes after it?

The task is tagging: a sentence holds one ambiguous word, such as "bank", and one cue that decides between its two
senses, such as "river" or "robber". The word is tagged from the encoder's state at that word, since the final state has
read the whole sentence in either direction. The cue follows the word in half of the sentences and precedes it in the
others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.atomic import JsonObject
from nmt.data.vocabulary import PAD
from nmt.errors import Log
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Value, Verdict
from nmt.lab.experiments.intervals import wilson
from nmt.lab.experiments.learning import FIRST_TOKEN, learn_task
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve
from nmt.models.embeddings import TokenEmbedding
from nmt.models.encoders import RecurrentEncoder
from nmt.training.objective import Loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUESTION = "Can a word be read by what comes after it, one way and both ways?"
DIRECTIONS = ("forward", "backward", "both")
FILLERS, AMBIGUOUS, SENSES, CUES = 30, 4, 2, 4
"""Words without meaning, words with two senses, senses, and cues for each sense."""
VOCABULARY = FIRST_TOKEN + FILLERS + AMBIGUOUS + SENSES * CUES
REACH, SHORTEST, LONGEST = 10, 14, 24
"""Largest distance between cue and word, and the lengths of sentences."""
EMBEDDING, HIDDEN = 32, 32
BATCH, PEAK = 64, 1e-2
TEST = 2000
"""Test sentences of each seed."""
KNOWN, GUESSING = 0.99, 0.55
"""Accuracy from which the sense counts as known, and up to which as guessed."""


@dataclass(frozen=True)
class Tagged:
    """Sentences ``(batch, time)`` with the position, sense and cue distance of their ambiguous words ``(batch,)``."""

    tokens: Tensor
    mask: Tensor
    place: Tensor
    """Position of the ambiguous word."""
    sense: Tensor
    """Its sense: the expected tag."""
    distance: Tensor
    """Words from it to the cue; negative if the cue comes before."""


def draw_sentences(generator: np.random.Generator, count: int) -> Tagged:
    """Fillers with one ambiguous word and one cue; side, distance and sense are uniform."""
    length = generator.integers(SHORTEST, LONGEST, size=count, endpoint=True)
    distance = generator.integers(1, REACH, size=count, endpoint=True) * generator.choice([-1, 1], size=count)
    first = generator.integers(length - abs(distance))  # position of whichever comes first, word or cue
    place = np.where(distance > 0, first, first - distance)
    sense = generator.integers(SENSES, size=count)
    rows = np.arange(count)
    tokens = FIRST_TOKEN + generator.integers(FILLERS, size=(count, LONGEST))
    tokens[rows, place] = FIRST_TOKEN + FILLERS + generator.integers(AMBIGUOUS, size=count)
    cues = FIRST_TOKEN + FILLERS + AMBIGUOUS
    tokens[rows, place + distance] = cues + CUES * sense + generator.integers(CUES, size=count)
    mask = np.arange(LONGEST) < length[:, None]
    return Tagged(*map(torch.as_tensor, (np.where(mask, tokens, PAD), mask, place, sense, distance)))


class Tagger(nn.Module):
    """The encoder of translators, and a linear map from each state to the logits of a tag, ``(batch, time, sense)``."""

    def __init__(self, kind: str, direction: str) -> None:
        super().__init__()
        self.embed = TokenEmbedding(VOCABULARY, EMBEDDING)
        self.encoder = RecurrentEncoder(kind, EMBEDDING, HIDDEN, 1, direction, False, forget_bias=1.0, dropout=0.0)
        self.output = nn.Linear(self.encoder.width, SENSES)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.output(self.encoder(self.embed(tokens), mask))
        return logits

    def at(self, sentences: Tagged) -> Tensor:
        """Logits at the ambiguous words, ``(batch, sense)``."""
        logits: Tensor = self(sentences.tokens, sentences.mask)
        return logits[torch.arange(len(logits)), sentences.place]


def tag_loss(tagger: Tagger, sentences: Tagged) -> Loss:
    """Cross-entropy of the tags of ambiguous words; other words have no tag."""
    loss = functional.cross_entropy(tagger.at(sentences), sentences.sense, reduction="sum")
    return Loss(loss, loss.detach(), len(sentences.sense))


class Count(NamedTuple):
    """Right tags, of how many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """In 0..1."""
        return self.right / self.of

    @classmethod
    def total(cls, counts: Sequence[Count]) -> Count:
        """The sum of counts."""
        return cls(sum(count.right for count in counts), sum(count.of for count in counts))


ByDistance = dict[int, Count]
"""By the distance of the cue, which is negative if the cue comes before the word."""
Results = dict[tuple[str, str], list[ByDistance]]
"""By cell and direction, one for each seed."""


@torch.no_grad()
def measure(tagger: Tagger, test: Tagged) -> ByDistance:
    """Right tags of the ambiguous words."""
    right, distance = (tagger.at(test).argmax(-1) == test.sense).cpu().numpy(), test.distance.cpu().numpy()
    return {
        int(one): Count(int(right[distance == one].sum()), int((distance == one).sum())) for one in np.unique(distance)
    }


def run(settings: Settings, log: Log) -> Outcome:
    """Trains a tagger of each cell in each direction with each seed; all taggers of a seed see the same sentences."""
    results: Results = {}
    for kind in settings.cells:
        for direction in DIRECTIONS:
            results[kind, direction] = []
            for seed in range(1, settings.seeds + 1):
                torch.manual_seed(seed)
                tagger = Tagger(kind, direction)
                learn_task(
                    tagger,
                    lambda generator: draw_sentences(generator, BATCH),
                    tag_loss,
                    updates=settings.updates,
                    seed=seed,
                    peak=PEAK,
                )
                found = measure(tagger, draw_sentences(np.random.default_rng([seed, 2]), TEST))
                results[kind, direction].append(found)
                after, before = (on_side(found, side).share for side in (1, -1))
                log(f"{kind}, {direction}, seed {seed}: cue after {after:.1%}, cue before {before:.1%}")
    return report(results, settings)


def on_side(found: ByDistance, side: int) -> Count:
    """The sum over cues after the word (side 1) or before it (-1)."""
    return Count.total([count for distance, count in found.items() if distance * side > 0])


COLUMNS = ("cell", "read", "cue", "right, %", "95 % from", "95 % to", "lowest seed, %", "highest seed, %")


def report(results: Results, settings: Settings) -> Outcome:
    """The outcome, with a row for each cell, direction and side of the cue."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=COLUMNS,
        rows=tuple(_row(name, side, found) for side in (1, -1) for name, found in results.items()),
        claims=(claim(results),),
        notes=(
            "right: tag of the ambiguous word, of two senses; the interval is Wilson's over the sentences of all "
            "seeds, each seed with its own",
        ),
        details={
            f"{kind}, {direction}": [{str(at): list(count) for at, count in each.items()} for each in found]
            for (kind, direction), found in results.items()
        },
        figure=lambda: draw(results),
    )


def _row(name: tuple[str, str], side: int, found: list[ByDistance]) -> tuple[Value, ...]:
    seeds = [on_side(each, side) for each in found]
    shares = (*wilson(*Count.total(seeds)), min(seed.share for seed in seeds), max(seed.share for seed in seeds))
    return (*name, "after" if side > 0 else "before", *(100 * share for share in shares))


def _conditions(settings: Settings) -> JsonObject:
    return {
        "model": f"embedding {EMBEDDING}, one layer of {HIDDEN} units a direction, a linear map from the state at each "
        "word to its tag",
        "sentences": f"{SHORTEST} to {LONGEST} words: {FILLERS} fillers, {AMBIGUOUS} ambiguous words, {CUES} cues "
        "a sense",
        "cue": f"1 to {REACH} words after the ambiguous word in half of the sentences, before it in the others",
        "test": f"{TEST} fresh sentences a seed",
        "seeds": settings.seeds,
        "updates": settings.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "precision": "fp32",
    }


def claim(results: Results) -> Claim:
    """D1: the sense shows only afterwards, so one must read both ways.

    It holds if reading forward guesses and reading both ways knows, for every cell; and under conditions if reading
    backward alone knows too, or if some cells do not learn it. It is not answered if no model knows the sense even
    where it has read the cue.
    """
    cells = tuple(dict.fromkeys(kind for kind, _ in results))
    sides = {
        (*name, side): Count.total([on_side(each, side) for each in found]).share
        for name, found in results.items()
        for side in (1, -1)
    }
    known = {kind: sides[kind, "forward", 1] <= GUESSING and sides[kind, "both", 1] >= KNOWN for kind in cells}
    by_backward = [kind for kind in cells if sides[kind, "backward", 1] >= KNOWN]
    verdict: Verdict = "does not hold"
    if any(known.values()):
        verdict = "holds" if all(known.values()) and not by_backward else "holds under conditions"
    if max(sides.values()) < KNOWN:
        verdict = "not answered"
    number = f"right sense read forward / backward / both ways (seeds: {len(results[cells[0], 'forward'])}), "
    number += f"cue 1 to {REACH} words after the word: {_shares(sides, cells, 1)}"
    number += f"; as far before it: {_shares(sides, cells, -1)}"
    if by_backward:
        number += f"; reading backward is enough ({', '.join(by_backward)}) where the cue always follows"
    return Claim(id="D1", number=number, verdict=verdict)


def _shares(sides: dict[tuple[str, str, int], float], cells: Sequence[str], side: int) -> str:
    return ", ".join(
        f"{kind} {' / '.join(f'{100 * sides[kind, direction, side]:.1f}' for direction in DIRECTIONS)} %"
        for kind in cells
    )


def draw(results: Results) -> Figure:
    """One chart for each cell: accuracy by position of the cue, with Wilson's intervals over all seeds."""
    cells = tuple(dict.fromkeys(kind for kind, _ in results))
    figure, charts = style.subplots(1.2 + 3.3 * len(cells), 4.0, columns=len(cells))
    for axes, kind in zip(charts, cells, strict=True):
        lines = [_curve(direction, results[kind, direction]) for direction in DIRECTIONS]
        curves.draw(axes, lines, x="words from the word to its cue", y="right sense, %", title=kind)
        axes.get_lines()[-1].set(markersize=9, markerfacecolor="none")  # stays visible around equal values
        axes.set_ylim(30, 103)
        if legend := axes.get_legend():
            legend.remove()  # the figure has one legend below all charts
    figure.legend(
        *charts[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(DIRECTIONS),
        title="read",
        frameon=False,
    )
    return figure


def _curve(direction: str, found: list[ByDistance]) -> Curve:
    """Has a gap at distance 0, the word itself."""
    distances = range(-REACH, REACH + 1)
    shares = [_percent(Count.total([each[distance] for each in found if distance in each])) for distance in distances]
    value, low, high = zip(*shares, strict=True)
    return Curve(direction, distances, value, low, high)


def _percent(count: Count) -> tuple[float | None, float | None, float | None]:
    """The share and its interval in %; None without a sentence."""
    if not count.of:
        return None, None, None
    value, low, high = (100 * each for each in wilson(*count))
    return value, low, high


CELLS = ("tanh", "gru", "lstm")
EXPERIMENT = Experiment(question=QUESTION, defaults=Settings(cells=CELLS, seeds=3, updates=500), run=run, known=CELLS)
