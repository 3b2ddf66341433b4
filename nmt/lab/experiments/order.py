"""Order: does a model tell "the dog chased the cat" from "the cat chased the dog"?

The task is to translate clauses of a made-up language in which word order alone says who does what to whom. In the
translation the verb stands last, adjectives follow their nouns, and there is no article. A minimal pair is a clause and
the same clause with subject and object exchanged: both have the same words, so a model that is blind to order gives
both the same translation, which is wrong for at least one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nmt.atomic import JsonObject
from nmt.data.batches import Batch, collate, pad
from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.errors import Log
from nmt.lab.experiments.architectures import recurrent, transformer
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Value, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN, learn
from nmt.lab.plotting import style
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters
from nmt.search import BeamSearch, SearchSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "Does a model tell a sentence from the same words in another order?"

NOUNS, VERBS, ADJECTIVES = 20, 10, 6
WORDS = 1 + NOUNS + VERBS + ADJECTIVES
"""Words of the source language: article, nouns, verbs and adjectives. Ids of translations are larger by this number."""
VOCABULARY = FIRST_TOKEN + 2 * WORDS
HELD_OUT = 40
"""Pairs of nouns, of 190, that share no clause in training."""

BATCH, PEAK = 128, 5e-3
PAIRS, SHUFFLES = 200, 5
"""Minimal pairs in the test, and shuffles of each of their sentences."""
ROUNDING, CHANGED = 1e-5, 1e-4
"""Changes of a logit: below the first they are rounding, above the second the model has noticed the shuffle."""
GOOD, CHANCE = 0.95, 0.5
LEARNED = 0.1
"""Sentences translated exactly, of the best recurrent model; with fewer, none has learned the words. A bag of words
gets a quarter of them right."""


class Phrase(NamedTuple):
    """A noun and its adjective, if any, by number."""

    noun: int
    adjective: int | None


class Clause(NamedTuple):
    """Subject, verb and object."""

    subject: Phrase
    verb: int
    object: Phrase

    def swapped(self) -> Clause:
        """The clause with subject and object exchanged."""
        return Clause(self.object, self.verb, self.subject)

    def source(self) -> list[int]:
        """Ids of: the [adjective] noun verb the [adjective] noun."""
        subject, object = ([FIRST_TOKEN, *_adjective(phrase), _noun(phrase)] for phrase in (self.subject, self.object))
        return [*subject, _verb(self.verb), *object]

    def target(self) -> list[int]:
        """Ids of: noun [adjective] noun [adjective] verb, the subject first."""
        phrases = [word for phrase in (self.subject, self.object) for word in (_noun(phrase), *_adjective(phrase))]
        return [WORDS + word for word in (*phrases, _verb(self.verb))]


def _noun(phrase: Phrase) -> int:
    return FIRST_TOKEN + 1 + phrase.noun


def _verb(verb: int) -> int:
    return FIRST_TOKEN + 1 + NOUNS + verb


def _adjective(phrase: Phrase) -> list[int]:
    return [] if phrase.adjective is None else [FIRST_TOKEN + 1 + NOUNS + VERBS + phrase.adjective]


def noun_pairs() -> tuple[np.ndarray, np.ndarray]:
    """Pairs of different nouns ``(pair, 2)`` for training and for the test, the same for every model and seed."""
    pairs = np.random.default_rng(0).permutation(list(combinations(range(NOUNS), 2)))
    return pairs[HELD_OUT:], pairs[:HELD_OUT]


TRAINING, TESTING = noun_pairs()


def draw_clause(generator: np.random.Generator, pairs: np.ndarray) -> Clause:
    """A clause about one of the pairs in either role; half of the nouns have an adjective."""
    nouns = generator.permutation(pairs[generator.integers(len(pairs))])
    subject, object = (
        Phrase(int(noun), int(generator.integers(ADJECTIVES)) if generator.random() < 0.5 else None) for noun in nouns
    )
    return Clause(subject, int(generator.integers(VERBS)), object)


def minimal_pairs(count: int) -> list[tuple[Clause, Clause]]:
    """Different clauses about noun pairs of the test, each with its swapped clause."""
    generator, found = np.random.default_rng(1), dict[frozenset[Clause], tuple[Clause, Clause]]()
    while len(found) < count:
        clause = draw_clause(generator, TESTING)
        found[frozenset((clause, clause.swapped()))] = (clause, clause.swapped())
    return list(found.values())


def training_batch(generator: np.random.Generator) -> Batch:
    """Clauses about the noun pairs of training."""
    clauses = [draw_clause(generator, TRAINING) for _ in range(BATCH)]
    return collate([clause.source() for clause in clauses], [clause.target() for clause in clauses])


MODELS: dict[str, Callable[[], TranslationModel]] = {
    "bag": lambda: recurrent(VOCABULARY, direction="none"),
    "tanh": lambda: recurrent(VOCABULARY, cell="tanh"),
    "gru": lambda: recurrent(VOCABULARY, cell="gru"),
    "lstm": lambda: recurrent(VOCABULARY),
    "attention": lambda: recurrent(VOCABULARY, attention="bahdanau", direction="both"),
    "transformer": lambda: transformer(VOCABULARY, layers=1),
}
RECURRENT = ("tanh", "gru", "lstm", "attention")


def shuffled(tokens: Sequence[int], generator: np.random.Generator) -> list[int]:
    """The tokens in another order that is not the same sequence."""
    while (other := generator.permutation(tokens).tolist()) == list(tokens):
        pass
    return [int(token) for token in other]


@torch.no_grad()
def first_logits(model: TranslationModel, sources: Sequence[Sequence[int]]) -> Tensor:
    """Logits of the first target token, ``(batch, vocabulary)``."""
    source, mask = pad([[*tokens, EOS] for tokens in sources])
    memory = model.encode(source, mask)
    return model.step(torch.full((len(source),), BOS), model.initial_state(memory), memory).logits


def logit_changes(model: TranslationModel, sources: Sequence[Sequence[int]]) -> np.ndarray:
    """The largest absolute change of a first-step logit for each shuffle of each source, ``(shuffle x source,)``."""
    generator, before, changes = np.random.default_rng(2), first_logits(model, sources), list[Tensor]()
    for _ in range(SHUFFLES):
        after = first_logits(model, [shuffled(tokens, generator) for tokens in sources])
        changes.append((after - before).abs().amax(-1))
    found: np.ndarray = torch.cat(changes).cpu().numpy()
    return found


class Measurement(NamedTuple):
    """One trained model. All but the first two are shares in 0..1."""

    parameters: float
    largest: float
    """Largest change of a logit over all shuffles."""
    noticed: float
    """Shuffles that changed a logit by more than `CHANGED`."""
    both: float
    """Minimal pairs with both sentences translated exactly."""
    sentences: float
    """Sentences translated exactly."""
    same: float
    """Minimal pairs whose two sentences get the same translation."""


def measure(model: TranslationModel, pairs: Sequence[tuple[Clause, Clause]]) -> Measurement:
    """Shuffles the sources of minimal pairs, and translates them greedily."""
    clauses = [clause for pair in pairs for clause in pair]
    sources = [clause.source() for clause in clauses]
    search = BeamSearch(SearchSettings(beam=1), bos=BOS, eos=EOS, pad=PAD)
    outputs = [list(best.tokens) for (best,) in search(model, *pad([[*source, EOS] for source in sources]))]
    right = np.array([output == clause.target() for output, clause in zip(outputs, clauses, strict=True)])
    same = np.array([one == other for one, other in zip(outputs[::2], outputs[1::2], strict=True)])
    changes = logit_changes(model, sources)
    shares = (changes > CHANGED, right.reshape(-1, 2).all(1), right, same)
    return Measurement(parameters(model), float(changes.max()), *(float(share.mean()) for share in shares))


Results = dict[str, list[Measurement]]
"""By model, one for each seed."""


def run(settings: Settings, log: Log) -> Outcome:
    """Trains each model with each seed on the same batches and tests it on the same minimal pairs."""
    pairs, results = minimal_pairs(PAIRS), Results()
    for name in settings.cells:
        results[name] = []
        for seed in range(1, settings.seeds + 1):
            torch.manual_seed(seed)
            model = MODELS[name]()
            learn(model, training_batch, updates=settings.updates, seed=seed, peak=PEAK)
            results[name].append(found := measure(model, pairs))
            log(f"{name}, seed {seed}: largest change {found.largest:.1e}, both of a pair right {found.both:.1%}")
    return report(results, settings)


COLUMNS = (
    "model",
    "parameters",
    "largest logit change",
    "shuffles noticed, %",
    "pairs right, %",
    "lowest seed, %",
    "highest seed, %",
    "sentences right, %",
    "same output for both, %",
)


def report(results: Results, settings: Settings) -> Outcome:
    """The outcome, with a row for each model."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=COLUMNS,
        rows=tuple(_row(name, seeds) for name, seeds in results.items()),
        claims=claims(results),
        notes=(
            f"largest logit change: over {2 * PAIRS * SHUFFLES} shuffles of the source and all seeds, at the first "
            "target position",
            f"shuffles noticed: a logit changed by more than {CHANGED:g}; pairs right: both sentences of a minimal "
            "pair translated exactly, greedily",
            "means over seeds; lowest and highest seed are of pairs right",
        ),
        details={name: [each._asdict() for each in seeds] for name, seeds in results.items()},
        figure=lambda: draw(results),
    )


def _row(name: str, seeds: Sequence[Measurement]) -> tuple[Value, ...]:
    mean = Measurement(*np.mean(seeds, axis=0).tolist())
    both = [each.both for each in seeds]
    shares = (mean.noticed, mean.both, min(both), max(both), mean.sentences, mean.same)
    return (name, int(mean.parameters), max(each.largest for each in seeds), *(100 * share for share in shares))


def _conditions(settings: Settings) -> JsonObject:
    return {
        "models": "hidden 64, embedding 32, one layer, thought vector at every step, read forward (attention: "
        "bahdanau, both ways); Transformer width 64, 1+1 layers",
        "language": f"{NOUNS} nouns, {VERBS} verbs, {ADJECTIVES} adjectives, every other noun with one; sources of "
        "5 to 7 tokens",
        "held out": f"{HELD_OUT} of {len(TRAINING) + HELD_OUT} pairs of nouns never share a sentence in training; the "
        "test holds only these",
        "minimal pairs": PAIRS,
        "shuffles": 2 * PAIRS * SHUFFLES,
        "seeds": settings.seeds,
        "updates": settings.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "precision": "fp32",
    }


def claims(results: Results) -> tuple[Claim, ...]:
    """A1 and A2, if the bag of words and at least one recurrent model were measured."""
    others = {name: seeds for name, seeds in results.items() if name in RECURRENT}
    if "bag" not in results or not others:
        return ()
    return (_order_claim(results, others), _pairs_claim(results, others))


def _order_claim(results: Results, others: Results) -> Claim:
    """A1: only a network with memory knows order. A Transformer has no recurrence, so it contradicts if it notices."""
    largest = max(each.largest for each in results["bag"])
    noticed = {name: _mean(seeds, "noticed") for name, seeds in results.items() if name != "bag"}
    recurrent_notice = min(noticed[name] for name in others) >= GOOD
    transformer_noticed = noticed.get("transformer", 0.0)
    verdict: Verdict = "holds" if recurrent_notice and transformer_noticed < GOOD else "holds under conditions"
    shares = ", ".join(f"{name} {share:.1%}" for name, share in noticed.items())
    number = (
        f"shuffling the source changes a first-step logit of the bag of words by at most {largest:.1e} in "
        f"{_seeds(results)}; noticed, by a change above {CHANGED:g}, in {shares} of shuffles"
    )
    if transformer_noticed >= GOOD:
        number += "; the Transformer is not recurrent, but knows order from its position embeddings"
    return Claim(id="A1", number=number, verdict="does not hold" if largest >= ROUNDING else verdict)


def _pairs_claim(results: Results, others: Results) -> Claim:
    """A2: only models that read in order translate both sentences of a minimal pair. Models that have not learned to
    translate single sentences do not answer it."""
    both = {name: _mean(seeds, "both") for name, seeds in results.items()}
    sentences, same = (_mean(results["bag"], field) for field in ("sentences", "same"))
    able = [name for name in others if both[name] >= GOOD]
    verdict: Verdict = "holds" if len(able) == len(others) else "holds under conditions" if able else "does not hold"
    if max(_mean(results[name], "sentences") for name in others) < LEARNED:
        verdict = "not answered"
    shares = ", ".join(f"{name} {share:.1%}" for name, share in both.items())
    number = (
        f"both of {PAIRS} minimal pairs translated exactly, mean of {_seeds(results)}: {shares}; the bag of words "
        f"gives both the same output in {same:.1%} and is right in {sentences:.1%} of the single sentences"
    )
    return Claim(id="A2", number=number, verdict="does not hold" if sentences > CHANCE or both["bag"] > 0 else verdict)


def _seeds(results: Results) -> str:
    count = len(results["bag"])
    return f"{count} seed{'s' * (count > 1)}"


def _mean(seeds: Sequence[Measurement], field: str) -> float:
    return float(np.mean([getattr(each, field) for each in seeds]))


def draw(results: Results) -> Figure:
    """A dot for each seed: the change by shuffling, and the share of minimal pairs that are right."""
    figure, (left, right) = style.subplots(9.0, 3.6, columns=2)
    _dots(left, {name: [max(each.largest, 1e-8) for each in seeds] for name, seeds in results.items()})
    left.set_xscale("log")
    left.axvline(ROUNDING, color=style.series_style(2).color, linestyle=":", linewidth=1)
    left.set(title="Shuffling the source", xlabel="largest change of a first-step logit (dotted: rounding)")
    _dots(right, {name: [100 * each.both for each in seeds] for name, seeds in results.items()})
    right.set(title="Subject and object exchanged", xlabel="pairs with both translated exactly, %", xlim=(-4, 104))
    return figure


def _dots(axes: Axes, values: dict[str, list[float]]) -> None:
    """A row for each model, the first one on top."""
    for row, found in enumerate(values.values()):
        color, marker, _ = style.series_style(row)
        axes.plot(found, [row] * len(found), color=color, marker=marker, linestyle="-", markersize=7, alpha=0.8)
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()


EXPERIMENT = Experiment(
    question=QUESTION, defaults=Settings(cells=tuple(MODELS), seeds=3, updates=800), run=run, known=tuple(MODELS)
)
