"""Direction: can a word be read by a cue that comes after it?

"Bank" is one thing where a river follows and another where a robber does. Whoever reads from the left has not seen what follows, so each
word is tagged from the encoder's state *at that word*; the state at the end of the sentence has read everything in either direction. The
cue stands before the word in half of the sentences, which turns the question round for one-way readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.data.vocabulary import PAD
from nmt.lab.experiments.experiment import Cell, Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.intervals import wilson
from nmt.lab.experiments.learning import FIRST
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve
from nmt.models.embeddings import PieceEmbedding
from nmt.models.encoders import RecurrentEncoder
from nmt.training.schedules import learning_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUESTION = "Can a word be read by what comes after it, one way and both ways?"
DIRECTIONS = ("forward", "backward", "both")
FILLERS, AMBIGUOUS, SENSES, CUES = 30, 4, 2, 4
"""Words of no matter, words with two senses, and words that decide for each of the senses."""
VOCABULARY = FIRST + FILLERS + AMBIGUOUS + SENSES * CUES
REACH, SHORTEST, LONGEST = 10, 14, 24
"""Largest distance of the cue from the word, and the lengths of sentences."""
EMBEDDING, HIDDEN = 32, 32
BATCH, PEAK = 64, 1e-2
TEST = 2000
"""Sentences in the test of each seed."""
KNOWN, GUESSING = 0.99, 0.55
"""At least so much accuracy is knowing, at most so much is guessing between two senses."""


@dataclass(frozen=True)
class Tagged:
    """Sentences ``(batch, time)``, and of each ``(batch,)`` what is asked."""

    tokens: Tensor
    mask: Tensor
    place: Tensor
    """Where the ambiguous word stands."""
    sense: Tensor
    """Its tag."""
    distance: Tensor
    """How many words after it the cue stands; below 0, before it."""


def draw_sentences(generator: np.random.Generator, count: int) -> Tagged:
    """Fillers with one ambiguous word and one cue, on either side of it at every distance alike; the sense is a toss of a coin."""
    length = generator.integers(SHORTEST, LONGEST, size=count, endpoint=True)
    distance = generator.integers(1, REACH, size=count, endpoint=True) * generator.choice([-1, 1], size=count)
    first = generator.integers(length - abs(distance))  # of the two, word and cue
    place = np.where(distance > 0, first, first - distance)
    sense = generator.integers(SENSES, size=count)
    rows = np.arange(count)
    tokens = FIRST + generator.integers(FILLERS, size=(count, LONGEST))
    tokens[rows, place] = FIRST + FILLERS + generator.integers(AMBIGUOUS, size=count)
    tokens[rows, place + distance] = FIRST + FILLERS + AMBIGUOUS + CUES * sense + generator.integers(CUES, size=count)
    mask = np.arange(LONGEST) < length[:, None]
    return Tagged(*map(torch.from_numpy, (np.where(mask, tokens, PAD), mask, place, sense, distance)))


class Tagger(nn.Module):
    """The encoder of the translation models, and a linear map from the state at each word to the logits of its tag, ``(batch, time, sense)``."""

    def __init__(self, kind: str, direction: str) -> None:
        super().__init__()
        self.embed = PieceEmbedding(VOCABULARY, EMBEDDING)
        self.encoder = RecurrentEncoder(kind, EMBEDDING, HIDDEN, 1, direction, False, forget_bias=1.0, dropout=0.0)
        self.output = nn.Linear(self.encoder.width, SENSES)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.output(self.encoder(self.embed(tokens), mask))
        return logits

    def at(self, sentences: Tagged) -> Tensor:
        """The logits at the ambiguous words, ``(batch, sense)``."""
        logits: Tensor = self(sentences.tokens, sentences.mask)
        return logits[torch.arange(len(logits)), sentences.place]


def train(tagger: Tagger, *, updates: int, seed: int) -> None:
    """Only the tags of ambiguous words count, since the others have none to choose; the sentences are a function of the seed alone."""
    generator = np.random.default_rng([seed, 1])
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)
    for update in range(1, updates + 1):
        batch = draw_sentences(generator, BATCH)
        functional.cross_entropy(tagger.at(batch), batch.sense).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = learning_rate(
            "cosine", update, peak=PEAK, warmup=updates // 20, total=updates
        )
        optimizer.step()
        optimizer.zero_grad()


class Count(NamedTuple):
    """Right tags of the ambiguous word, of how many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """In 0..1."""
        return self.right / self.of

    @classmethod
    def total(cls, counts: Sequence[Count]) -> Count:
        """All of them together."""
        return cls(sum(count.right for count in counts), sum(count.of for count in counts))


ByDistance = dict[int, Count]
"""Right tags by the cue's distance, below 0 where it stands before the word."""
Results = dict[tuple[str, str], list[ByDistance]]
"""By cell and direction, one for each seed."""


@torch.no_grad()
def measure(tagger: Tagger, test: Tagged) -> ByDistance:
    """How often the ambiguous word gets the right sense."""
    right, distance = (tagger.at(test).argmax(-1) == test.sense).numpy(), test.distance.numpy()
    return {
        int(one): Count(int(right[distance == one].sum()), int((distance == one).sum())) for one in np.unique(distance)
    }


def run(options: Options, log: Log) -> Outcome:
    """Trains a tagger of each cell in each direction with each seed; a seed's sentences are the same for all."""
    assert options.cells is not None
    assert options.seeds is not None
    assert options.updates is not None
    results: Results = {}
    for kind in options.cells:
        for direction in DIRECTIONS:
            results[kind, direction] = []
            for seed in range(1, options.seeds + 1):
                torch.manual_seed(seed)
                train(tagger := Tagger(kind, direction), updates=options.updates, seed=seed)
                found = measure(tagger, draw_sentences(np.random.default_rng([seed, 2]), TEST))
                results[kind, direction].append(found)
                log(
                    f"{kind}, {direction}, seed {seed}: cue after {on_side(found, 1).share:.1%}, cue before {on_side(found, -1).share:.1%}"
                )
    return report(results, options)


def on_side(found: ByDistance, side: int) -> Count:
    """All cues after the word (side 1) or before it (-1)."""
    return Count.total([count for distance, count in found.items() if distance * side > 0])


COLUMNS = ("cell", "read", "cue", "right, %", "95 % from", "95 % to", "lowest seed, %", "highest seed, %")


def report(results: Results, options: Options) -> Outcome:
    """The outcome for counts by cell, direction and seed."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(options),
        columns=COLUMNS,
        rows=tuple(_row(name, side, found) for side in (1, -1) for name, found in results.items()),
        claims=(claim(results),),
        notes=(
            "right: tag of the ambiguous word, of two senses; the interval is Wilson's over the sentences of all seeds, each seed with its own",
        ),
        details={
            f"{kind}, {direction}": [{str(at): list(count) for at, count in each.items()} for each in found]
            for (kind, direction), found in results.items()
        },
        figure=lambda: draw(results),
    )


def _row(name: tuple[str, str], side: int, found: list[ByDistance]) -> tuple[Cell, ...]:
    seeds = [on_side(each, side) for each in found]
    shares = (*wilson(*Count.total(seeds)), min(seed.share for seed in seeds), max(seed.share for seed in seeds))
    return (*name, "after" if side > 0 else "before", *(100 * share for share in shares))


def _conditions(options: Options) -> dict[str, object]:
    return {
        "model": f"embedding {EMBEDDING}, one layer of {HIDDEN} units a direction, a linear map from the state at each word to its tag",
        "sentences": f"{SHORTEST} to {LONGEST} words: {FILLERS} fillers, {AMBIGUOUS} ambiguous words, {CUES} cues a sense",
        "cue": f"1 to {REACH} words after the ambiguous word in half of the sentences, before it in the others",
        "test": f"{TEST} fresh sentences a seed",
        "seeds": options.seeds,
        "updates": options.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "precision": "fp32",
    }


def claim(results: Results) -> Claim:
    """D1: from the left it cannot be known, and one must read both ways. Where the right alone is enough, the claim needs a cue on either side."""
    cells = tuple(dict.fromkeys(kind for kind, _ in results))
    sides = {
        (*name, side): Count.total([on_side(each, side) for each in found]).share
        for name, found in results.items()
        for side in (1, -1)
    }
    known = {kind: sides[kind, "forward", 1] <= GUESSING and sides[kind, "both", 1] >= KNOWN for kind in cells}
    from_right = [kind for kind in cells if sides[kind, "backward", 1] >= KNOWN]
    verdict: Verdict = (
        "holds"
        if all(known.values()) and not from_right
        else "holds under conditions"
        if any(known.values())
        else "does not hold"
    )
    number = f"right sense read forward / backward / both ways (seeds: {len(results[cells[0], 'forward'])}), "
    number += f"cue 1 to {REACH} words after the word: {_shares(sides, cells, 1)}"
    number += f"; as far before it: {_shares(sides, cells, -1)}"
    if from_right:
        number += f"; reading from the right alone is enough ({', '.join(from_right)}) where the cue always follows"
    return Claim(id="D1", number=number, verdict=verdict)


def _shares(sides: dict[tuple[str, str, int], float], cells: Sequence[str], side: int) -> str:
    return ", ".join(
        f"{kind} {' / '.join(f'{100 * sides[kind, direction, side]:.1f}' for direction in DIRECTIONS)} %"
        for kind in cells
    )


def draw(results: Results) -> Figure:
    """A panel for each cell: accuracy against where the cue stands, with Wilson's intervals over all seeds."""
    cells = tuple(dict.fromkeys(kind for kind, _ in results))
    figure, panels = style.subplots(1.2 + 3.3 * len(cells), 4.0, columns=len(cells))
    for panel, kind in zip(panels, cells, strict=True):
        lines = [_curve(direction, results[kind, direction]) for direction in DIRECTIONS]
        curves.draw(panel, lines, x="words from the word to its cue", y="right sense, %", title=kind)
        panel.get_lines()[-1].set(markersize=9, markerfacecolor="none")  # seen around those that are as good
        panel.set_ylim(30, 103)
        if legend := panel.get_legend():
            legend.remove()  # one for all panels, below them, where it hides nothing
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(DIRECTIONS),
        title="read",
        frameon=False,
    )
    return figure


def _curve(direction: str, found: list[ByDistance]) -> Curve:
    """Broken at the word itself, where no cue stands."""
    distances = range(-REACH, REACH + 1)
    shares = [_percent(Count.total([each[distance] for each in found if distance in each])) for distance in distances]
    value, low, high = zip(*shares, strict=True)
    return Curve(direction, distances, value, low, high)


def _percent(count: Count) -> tuple[float | None, float | None, float | None]:
    """The share and its interval in %, or nothing where there is no sentence."""
    if not count.of:
        return None, None, None
    value, low, high = (100 * each for each in wilson(*count))
    return value, low, high


CELLS = ("tanh", "gru", "lstm")
EXPERIMENT = Experiment(question=QUESTION, defaults=Options(cells=CELLS, seeds=3, updates=500), run=run, known=CELLS)
