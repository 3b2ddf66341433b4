"""Order: does a model tell "the dog chased the cat" from "the cat chased the dog"?

A sentence and the one with subject and object changed hold the very same words, so whoever does not see order must give both the same
translation; in the made-up language of `clauses` that is wrong for at least one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nmt.data.batches import Batch, collate, pad
from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.lab.experiments.clauses import (
    ADJECTIVES,
    HELD_OUT,
    NOUNS,
    TRAINING,
    VERBS,
    VOCABULARY,
    Clause,
    draw_clause,
    minimal_pairs,
)
from nmt.lab.experiments.experiment import Cell, Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.learning import learn, recurrent, transformer
from nmt.lab.plotting import style
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters
from nmt.search import BeamSearch, SearchSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "Does a model tell a sentence from the same words in another order?"
BATCH, PEAK = 128, 5e-3
PAIRS, SHUFFLES = 200, 5
"""Minimal pairs in the test, and shuffles of each of their sentences."""
ROUNDING, CHANGED = 1e-5, 1e-4
"""A logit that moves less than the first has not moved; a shuffle that moves one by more than the second was noticed."""
GOOD, CHANCE = 0.95, 0.5

MODELS: dict[str, Callable[[], TranslationModel]] = {
    "bag": lambda: recurrent(VOCABULARY, direction="none"),
    "tanh": lambda: recurrent(VOCABULARY, cell="tanh"),
    "gru": lambda: recurrent(VOCABULARY, cell="gru"),
    "lstm": lambda: recurrent(VOCABULARY),
    "attention": lambda: recurrent(VOCABULARY, attention="bahdanau", direction="both"),
    "transformer": lambda: transformer(VOCABULARY, layers=1),
}
RECURRENT = ("tanh", "gru", "lstm", "attention")


def training_batch(generator: np.random.Generator) -> Batch:
    """Clauses about the noun pairs of training."""
    clauses = [draw_clause(generator, TRAINING) for _ in range(BATCH)]
    return collate([clause.source() for clause in clauses], [clause.target() for clause in clauses])


def shuffled(pieces: Sequence[int], generator: np.random.Generator) -> list[int]:
    """The pieces in another order: one that reads differently."""
    while (other := generator.permutation(pieces).tolist()) == list(pieces):
        pass
    return [int(piece) for piece in other]


@torch.no_grad()
def first_logits(model: TranslationModel, sources: Sequence[Sequence[int]]) -> Tensor:
    """What the model expects as the first target piece, ``(batch, vocabulary)``."""
    source, mask = pad([[*pieces, EOS] for pieces in sources])
    memory = model.encode(source, mask)
    return model.step(torch.full((len(source),), BOS), model.initial_state(memory), memory).logits


def logit_changes(model: TranslationModel, sources: Sequence[Sequence[int]]) -> np.ndarray:
    """The largest absolute change of a first-step logit for each of some shuffles of each source, ``(shuffles x source,)``."""
    generator, before, changes = np.random.default_rng(2), first_logits(model, sources), list[Tensor]()
    for _ in range(SHUFFLES):
        after = first_logits(model, [shuffled(pieces, generator) for pieces in sources])
        changes.append((after - before).abs().amax(-1))
    found: np.ndarray = torch.cat(changes).numpy()
    return found


class Measured(NamedTuple):
    """What one trained model did; all but the first two are shares."""

    parameters: float
    largest: float
    """Change of a logit over all shuffles."""
    noticed: float
    """Shuffles that changed a logit by more than `CHANGED`."""
    both: float
    """Minimal pairs of which both sentences are translated exactly."""
    sentences: float
    """Sentences translated exactly."""
    same: float
    """Minimal pairs whose two sentences get the same translation."""


def measure(model: TranslationModel, pairs: Sequence[tuple[Clause, Clause]]) -> Measured:
    """Shuffles the sources of minimal pairs, and translates them greedily."""
    clauses = [clause for pair in pairs for clause in pair]
    sources = [clause.source() for clause in clauses]
    search = BeamSearch(SearchSettings(beam=1), bos=BOS, eos=EOS, pad=PAD)
    outputs = [list(best.tokens) for (best,) in search(model, *pad([[*source, EOS] for source in sources]))]
    right = np.array([output == clause.target() for output, clause in zip(outputs, clauses, strict=True)])
    same = np.array([one == other for one, other in zip(outputs[::2], outputs[1::2], strict=True)])
    changes = logit_changes(model, sources)
    shares = (changes > CHANGED, right.reshape(-1, 2).all(1), right, same)
    return Measured(parameters(model), float(changes.max()), *(float(share.mean()) for share in shares))


def run(options: Options, log: Log) -> Outcome:
    """Trains each model with each seed on the same batches and measures it on the same minimal pairs."""
    assert options.cells is not None
    assert options.seeds is not None
    assert options.updates is not None
    pairs, results = minimal_pairs(PAIRS), dict[str, list[Measured]]()
    for name in options.cells:
        results[name] = []
        for seed in range(1, options.seeds + 1):
            torch.manual_seed(seed)
            model = MODELS[name]()
            learn(model, training_batch, updates=options.updates, seed=seed, peak=PEAK)
            results[name].append(measured := measure(model, pairs))
            log(f"{name}, seed {seed}: largest change {measured.largest:.1e}, both of a pair right {measured.both:.1%}")
    return report(results, options)


COLUMNS = (
    *(
        "model",
        "parameters",
        "largest logit change",
        "shuffles noticed, %",
        "pairs right, %",
        "lowest seed, %",
        "highest seed, %",
    ),
    *("sentences right, %", "same output for both, %"),
)


def report(results: dict[str, list[Measured]], options: Options) -> Outcome:
    """The outcome: one row per model."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(options),
        columns=COLUMNS,
        rows=tuple(_row(name, seeds) for name, seeds in results.items()),
        claims=claims(results),
        notes=(
            f"largest logit change: over {2 * PAIRS * SHUFFLES} shuffles of the source's pieces and all seeds, at the first target position",
            f"shuffles noticed: a logit changed by more than {CHANGED:g}; pairs right: both sentences of a minimal pair translated exactly, greedily",
            "means over seeds; lowest and highest seed are of pairs right",
        ),
        details={name: [measured._asdict() for measured in seeds] for name, seeds in results.items()},
        figure=lambda: draw(results),
    )


def _row(name: str, seeds: Sequence[Measured]) -> tuple[Cell, ...]:
    mean = Measured(*np.mean(seeds, axis=0).tolist())
    both = [measured.both for measured in seeds]
    shares = (mean.noticed, mean.both, min(both), max(both), mean.sentences, mean.same)
    return (
        name,
        int(mean.parameters),
        max(measured.largest for measured in seeds),
        *(100 * share for share in shares),
    )


def _conditions(options: Options) -> dict[str, object]:
    return {
        "models": "hidden 64, embedding 32, one layer, thought vector at every step, read forward (attention: bahdanau, both ways); Transformer width 64, 1+1 layers",
        "language": f"{NOUNS} nouns, {VERBS} verbs, {ADJECTIVES} adjectives, every other noun with one; sources of 5 to 7 pieces",
        "held out": f"{HELD_OUT} of {len(TRAINING) + HELD_OUT} pairs of nouns never share a sentence in training; the test holds only these",
        "minimal pairs": PAIRS,
        "shuffles": 2 * PAIRS * SHUFFLES,
        "seeds": options.seeds,
        "updates": options.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "precision": "fp32",
    }


def claims(results: dict[str, list[Measured]]) -> tuple[Claim, ...]:
    """A1 and A2, where the bag of words and something to compare it with were measured."""
    others = {name: seeds for name, seeds in results.items() if name in RECURRENT}
    if "bag" not in results or not others:
        return ()
    return (_order_claim(results, others), _pairs_claim(results, others))


def _order_claim(results: dict[str, list[Measured]], others: dict[str, list[Measured]]) -> Claim:
    """No recurrence, no order. A Transformer is a feed-forward net as well, so it speaks against the claim where it notices."""
    largest = max(measured.largest for measured in results["bag"])
    noticed = {name: _mean(seeds, "noticed") for name, seeds in results.items() if name != "bag"}
    recurrent_notice = min(noticed[name] for name in others) >= GOOD
    verdict: Verdict = (
        "holds" if recurrent_notice and noticed.get("transformer", 0.0) < GOOD else "holds under conditions"
    )
    shares = ", ".join(f"{name} {share:.1%}" for name, share in noticed.items())
    number = f"shuffling the source changes a first-step logit of the bag of words by at most {largest:.1e} in {_seeds(results)}; "
    number += f"noticed, by a change above {CHANGED:g}, in {shares} of shuffles"
    if noticed.get("transformer", 0.0) >= GOOD:
        number += "; the Transformer is not recurrent and yet knows order, which it is told by positions"
    return Claim(id="A1", number=number, verdict="does not hold" if largest >= ROUNDING else verdict)


def _pairs_claim(results: dict[str, list[Measured]], others: dict[str, list[Measured]]) -> Claim:
    both = {name: _mean(seeds, "both") for name, seeds in results.items()}
    sentences, same = (_mean(results["bag"], field) for field in ("sentences", "same"))
    able = [name for name in others if both[name] >= GOOD]
    verdict: Verdict = "holds" if len(able) == len(others) else "holds under conditions" if able else "does not hold"
    shares = ", ".join(f"{name} {share:.1%}" for name, share in both.items())
    number = (
        f"both of {PAIRS} minimal pairs translated exactly, mean of {_seeds(results)}: {shares}; "
        f"the bag of words gives both the same output in {same:.1%} and is right in {sentences:.1%} of the single sentences"
    )
    return Claim(id="A2", number=number, verdict="does not hold" if sentences > CHANCE or both["bag"] > 0 else verdict)


def _seeds(results: dict[str, list[Measured]]) -> str:
    count = len(results["bag"])
    return f"{count} seed{'s' * (count > 1)}"


def _mean(seeds: Sequence[Measured], field: str) -> float:
    return float(np.mean([getattr(measured, field) for measured in seeds]))


def draw(results: dict[str, list[Measured]]) -> Figure:
    """A dot for each seed: what shuffling changes, and the minimal pairs that come out right."""
    figure, (left, right) = style.subplots(9.0, 3.6, columns=2)
    _dots(left, {name: [max(measured.largest, 1e-8) for measured in seeds] for name, seeds in results.items()})
    left.set_xscale("log")
    left.axvline(ROUNDING, color=style.series_style(2).color, linestyle=":", linewidth=1)
    left.set(title="Shuffling the source", xlabel="largest change of a first-step logit (dotted: rounding)")
    _dots(right, {name: [100 * measured.both for measured in seeds] for name, seeds in results.items()})
    right.set(title="Subject and object exchanged", xlabel="pairs with both translated exactly, %", xlim=(-4, 104))
    return figure


def _dots(axes: Axes, values: dict[str, list[float]]) -> None:
    """A row for each model, the first one on top."""
    for place, found in enumerate(values.values()):
        colour, marker, _ = style.series_style(place)
        axes.plot(found, [place] * len(found), color=colour, marker=marker, linestyle="-", markersize=7, alpha=0.8)
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()


EXPERIMENT = Experiment(
    question=QUESTION, defaults=Options(cells=tuple(MODELS), seeds=3, updates=800), run=run, known=tuple(MODELS)
)
