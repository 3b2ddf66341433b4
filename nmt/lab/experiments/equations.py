"""Equations: what holds by construction, checked in numbers.

Each check is one row: a measured number and the value or bound expected. Most need no training. For the weights of
attention a model learns to reverse strings, a task in which the aligned source token of each target token is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import nan
from operator import eq, ge, gt, le, lt
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from nmt.atomic import JsonObject
from nmt.data.batches import Batch, collate
from nmt.errors import Log
from nmt.lab.experiments.architectures import recurrent, transformer
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN, exact, learn
from nmt.lab.experiments.traces import trace_gates, unroll
from nmt.models.cells import CELLS, GATES, Cell
from nmt.models.encoders import RecurrentEncoder
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters

QUESTION = "Do the models compute what their papers say, in cells, shapes and memory?"
LENGTHS = (3, 30, 300)
"""Tokens of a source."""
HIDDEN, STEPS, ROWS = 64, 50, 8
"""Units, steps of a recurrence, and sequences in a batch."""
STEP_ROUNDING, LOGIT_ROUNDING = 1e-6, 1e-5
"""Tolerances for the order of summation in fp32: of a state, and of logits after several layers."""

SYMBOLS = 20
VOCABULARY = FIRST_TOKEN + SYMBOLS
SHORTEST, LONGEST, BATCH, PEAK = 3, 10, 64, 5e-3
TEST = 200
"""Strings whose alignment is measured."""

Relation: TypeAlias = Literal["=", "at most", "at least", "above", "below"]
RELATIONS: dict[Relation, Callable[[float, float], bool]] = {
    "=": eq,
    "at most": le,
    "at least": ge,
    "above": gt,
    "below": lt,
}


class Check(NamedTuple):
    """A measured number, the claim it belongs to, and the value or bound that was expected."""

    claim: str
    what: str
    measured: float
    relation: Relation
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the number is as expected."""
        return RELATIONS[self.relation](self.measured, self.bound)


def any_length() -> Iterator[Check]:
    """A4: one set of weights for sources of any length."""
    for kind in CELLS:
        model = recurrent(VOCABULARY, cell=kind)
        before = parameters(model)
        for length in (LENGTHS[0], LENGTHS[-1]):
            finite = model(*random_sources(length), torch.full((ROWS, 2), FIRST_TOKEN)).isfinite().all()
            what = f"{kind}: parameters of a model that has read {length} tokens"
            yield Check("A4", what, parameters(model) if finite else nan, "=", before)


def cells_step_by_step() -> Iterator[Check]:
    """A4, B1 and C1: the equations of `Cell.step`, unrolled from zeros, against torch's layers."""
    for claim, kind in (("B1", "tanh"), ("A4", "gru"), ("C1", "lstm")):
        cell, inputs = fresh_cell(kind), torch.randn(ROWS, STEPS, HIDDEN)
        reference = CELLS[kind](HIDDEN, HIDDEN, batch_first=True)
        for mine, torchs in zip(cell.parameters(), reference.parameters(), strict=True):
            torchs.copy_(mine)
        steps = torch.stack([cell.output(state) for state in unroll(cell, inputs)[1:]], 1)
        what = f"{kind}: largest difference of h from torch.nn.{CELLS[kind].__name__} over {STEPS} steps"
        yield Check(claim, what, difference(steps, reference(inputs)[0]), "at most", STEP_ROUNDING)


def gates_between() -> Iterator[Check]:
    """C1: gates are strictly between 0 and 1."""
    found = trace_gates(fresh_cell("lstm"), torch.randn(ROWS, STEPS, HIDDEN))
    gates = torch.stack([found[name] for name in GATES["lstm"]])
    yield Check("C1", f"lstm: smallest gate over {STEPS} steps", float(gates.min()), "above", 0.0)
    yield Check("C1", f"lstm: largest gate over {STEPS} steps", float(gates.max()), "below", 1.0)


def power_of_a_tenth() -> Iterator[Check]:
    """B4: 0.1^50 where the smallest positive number is 1.4e-45, and where it is 4.9e-324."""
    yield Check("B4", "0.1^50 in float32", float(np.float32(0.1**50)), "=", 0.0)
    yield Check("B4", "0.1^50 in float64", float(np.float64(0.1**50)), "=", 0.0)


def memory_size() -> Iterator[Check]:
    """B10: how many numbers the decoder is given."""
    for length in LENGTHS:
        numbers = memory_numbers(recurrent(VOCABULARY), length)
        yield Check("B10", f"thought vector: numbers in memory of {length} tokens", numbers, "=", HIDDEN)


def memory_numbers(model: TranslationModel, length: int) -> int:
    """The numbers in the memory of one source, keys included."""
    memory = model.encode(*random_sources(length))
    return sum(part[0].numel() for part in (memory.slots, *memory.keys))


def both_ways() -> Iterator[Check]:
    """D2: the states of both directions are concatenated."""
    encoder = RecurrentEncoder("lstm", HIDDEN, HIDDEN, 1, "both", False, forget_bias=1.0, dropout=0.0)
    states = encoder(torch.randn(ROWS, LENGTHS[0], HIDDEN), torch.ones(ROWS, LENGTHS[0], dtype=torch.bool))
    what = f"width of a state read both ways by {HIDDEN} + {HIDDEN} units"
    yield Check("D2", what, states.shape[-1], "=", 2 * HIDDEN)


def bottleneck() -> Iterator[Check]:
    """E1: the logits of a thought vector depend on the final states of the encoder alone."""
    audits: tuple[tuple[str, str, Relation], ...] = (
        ("thought vector", "none", "="),
        ("attention", "bahdanau", "above"),
    )
    for name, attention, relation in audits:
        model = recurrent(VOCABULARY, attention=attention, direction="both").eval()
        what = f"{name}: largest change of a logit by noise in all encoder states but the final ones"
        yield Check("E1", what, change_by_noise(model), relation, 0.0)


def change_by_noise(model: TranslationModel) -> float:
    """The largest absolute change of a logit when all encoder states but the final ones become noise."""
    source, mask = random_sources(LENGTHS[1])
    target = torch.randint(FIRST_TOKEN, VOCABULARY, (ROWS, SHORTEST))
    before = model(source, mask, target)
    hook = model.get_submodule("encoder").register_forward_hook(
        lambda module, inputs, states: noise_between_ends(states)
    )
    after = model(source, mask, target)
    hook.remove()
    return difference(before, after)


def noise_between_ends(states: Tensor) -> Tensor:
    """Noise, but for the last forward state and the first backward state: ``(batch, source, 2 x hidden)``."""
    hidden, noise = states.shape[-1] // 2, torch.randn_like(states)
    noise[:, -1, :hidden], noise[:, 0, hidden:] = states[:, -1, :hidden], states[:, 0, hidden:]
    return noise


def steps_and_whole() -> Iterator[Check]:
    """E6: decoding step by step gives the logits of the whole pass."""
    for name, model in families().items():
        memory = model.encode(*random_sources(LENGTHS[1]))
        target = torch.randint(FIRST_TOKEN, VOCABULARY, (ROWS, LENGTHS[1]))
        found = difference(model.decode(target, memory), TranslationModel.decode(model, target, memory))
        what = f"{name}: largest difference of a logit over {LENGTHS[1]} tokens"
        yield Check("E6", what, found, "at most", LOGIT_ROUNDING)


def families() -> dict[str, TranslationModel]:
    """An untrained model of each kind."""
    models = {
        "thought vector": recurrent(VOCABULARY),
        "attention": recurrent(VOCABULARY, attention="bahdanau", direction="both"),
        "transformer": transformer(VOCABULARY),
    }
    return {name: model.eval() for name, model in models.items()}


UNTRAINED: tuple[Callable[[], Iterator[Check]], ...] = (
    any_length,
    cells_step_by_step,
    gates_between,
    power_of_a_tenth,
    memory_size,
    both_ways,
    bottleneck,
    steps_and_whole,
)


def fresh_cell(kind: str) -> Cell:
    """A cell with random weights and biases."""
    cell = Cell(kind, HIDDEN, HIDDEN)
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -(HIDDEN**-0.5), HIDDEN**-0.5)
    return cell


def random_sources(length: int) -> tuple[Tensor, Tensor]:
    """Token ids ``(batch, length)`` and their mask, without padding."""
    return torch.randint(FIRST_TOKEN, VOCABULARY, (ROWS, length)), torch.ones(ROWS, length, dtype=torch.bool)


def difference(one: Tensor, other: Tensor) -> float:
    """The largest absolute difference."""
    return float((one - other).abs().max())


def reversed_strings(generator: np.random.Generator, count: int = BATCH) -> Batch:
    """Random strings with their reversals as targets."""
    sources = [
        generator.integers(FIRST_TOKEN, VOCABULARY, size=length).tolist()
        for length in generator.integers(SHORTEST, LONGEST, count, endpoint=True)
    ]
    return collate(sources, [source[::-1] for source in sources])


class Alignment(NamedTuple):
    """The weights of attention over reversed strings."""

    sums: float
    """Largest distance of a sum of weights from 1."""
    padding: float
    """Largest weight of a padded slot."""
    aligned: float
    """Share of target tokens with the largest weight on the source token that they copy."""
    right: float
    """Share of strings reversed exactly."""


def learned_alignment(seed: int, updates: int) -> Alignment:
    """Trains attention to reverse strings, and measures its weights on fresh ones."""
    torch.manual_seed(seed)
    model = recurrent(VOCABULARY, attention="bahdanau", direction="both")
    learn(model, reversed_strings, updates=updates, seed=seed, peak=PEAK)
    return measure_alignment(model, reversed_strings(np.random.default_rng([seed, 2]), TEST))


@torch.no_grad()
def measure_alignment(model: TranslationModel, batch: Batch) -> Alignment:
    """Sums and padding include the end token; alignment does not, since it copies no source token."""
    weights = attention_weights(model, batch)
    sums = (weights.sum(-1) - 1).abs()[batch.target_mask].max()
    padding = weights.masked_fill(batch.source_mask.unsqueeze(1), 0.0).max()
    aligned = weights.argmax(-1)[copies(batch)] == copied_positions(batch)[copies(batch)]
    return Alignment(float(sums), float(padding), float(aligned.float().mean()), float(exact(model, batch).mean()))


def attention_weights(model: TranslationModel, batch: Batch) -> Tensor:
    """The weights under teacher forcing, ``(batch, target, slot)``."""
    memory = model.encode(batch.source, batch.source_mask)
    state, rows = model.initial_state(memory), []
    for previous in batch.previous.unbind(1):
        step = model.step(previous, state, memory)
        state = step.state
        rows.append(step.weights)
    return torch.stack(rows, 1)


def copies(batch: Batch) -> Tensor:
    """Mask of the target tokens that copy a source token: all but the end token, ``(batch, target)``."""
    return torch.arange(batch.expected.shape[1]) < batch.target_mask.sum(1, keepdim=True) - 1


def copied_positions(batch: Batch) -> Tensor:
    """The source position that each target token copies, the last one first, ``(batch, target)``."""
    return batch.target_mask.sum(1, keepdim=True) - 2 - torch.arange(batch.expected.shape[1])


def alignment_checks(seeds: Sequence[Alignment]) -> Iterator[Check]:
    """E3: the worst sum and padding over seeds, and the mean alignment."""
    sums, padding = (max(getattr(each, name) for each in seeds) for name in ("sums", "padding"))
    aligned = [each.aligned for each in seeds]
    yield Check("E3", "attention: largest distance of a sum of weights from 1", sums, "at most", STEP_ROUNDING)
    yield Check("E3", "attention: largest weight on padding", padding, "=", 0.0)
    what = f"reversed strings: % of tokens aligned (seeds from {100 * min(aligned):.1f} to {100 * max(aligned):.1f})"
    yield Check("E3", what, 100 * float(np.mean(aligned)), "at least", 99.0)


def run(settings: Settings, log: Log) -> Outcome:
    """The checks without training from seed 1, and those of attention from each seed."""
    torch.manual_seed(1)
    with torch.no_grad():
        checks = [check for make in UNTRAINED for check in make()]
    log(f"{sum(check.holds for check in checks)} of {len(checks)} checks hold without training")
    seeds = []
    for seed in range(1, settings.seeds + 1):
        seeds.append(learned_alignment(seed, settings.updates))
        log(f"attention, seed {seed}: {seeds[-1].aligned:.1%} aligned, {seeds[-1].right:.1%} of strings right")
    return report(sorted([*checks, *alignment_checks(seeds)], key=lambda check: _order(check.claim)), seeds, settings)


def report(checks: Sequence[Check], seeds: Sequence[Alignment], settings: Settings) -> Outcome:
    """The outcome, with a row for each check."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=("claim", "what", "measured", "expected", "holds"),
        rows=tuple(
            (check.claim, check.what, check.measured, _expected(check), "yes" if check.holds else "no")
            for check in checks
        ),
        claims=claims(checks),
        notes=(
            "E3 and E6 here are the parts that hold by construction; the gain of attention and the speed of reading "
            "all tokens at once are measured elsewhere",
        ),
        details={"attention": [each._asdict() for each in seeds]},
    )


def _conditions(settings: Settings) -> JsonObject:
    return {
        "sizes": f"hidden {HIDDEN}, embedding 32, one layer; Transformer width 64, 2+2 layers; {ROWS} sequences at a "
        "time, weights of seed 1",
        "reversed": f"strings of {SHORTEST} to {LONGEST} of {SYMBOLS} symbols; {TEST} fresh ones in the test",
        "seeds": settings.seeds,
        "updates": settings.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "precision": "fp32",
    }


PARTS = {"E3": "weights alone: ", "E6": "a whole target read at once against token by token: "}
"""Claims of which only this part is measured here."""


def claims(checks: Sequence[Check]) -> tuple[Claim, ...]:
    """A claim holds if all its checks do, and under conditions if some do."""
    return tuple(
        _claim(id, [check for check in checks if check.claim == id])
        for id in dict.fromkeys(check.claim for check in checks)
    )


def _claim(id: str, checks: Sequence[Check]) -> Claim:
    hold = [check.holds for check in checks]
    verdict: Verdict = "holds" if all(hold) else "holds under conditions" if any(hold) else "does not hold"
    return Claim(id=id, number=PARTS.get(id, "") + "; ".join(map(_sentence, checks)), verdict=verdict)


def _sentence(check: Check) -> str:
    expected = "" if check.holds else f", expected {_expected(check)}"
    return f"{check.what} {_shown(check.measured)}{expected}"


def _expected(check: Check) -> str:
    return f"{check.relation} {_shown(check.bound)}"


def _shown(number: float) -> str:
    """Integers in full, other numbers with three digits."""
    return f"{number:,}" if isinstance(number, int) else f"{number:.3g}"


def _order(id: str) -> tuple[str, int]:
    return id[0], int(id[1:])


EXPERIMENT = Experiment(question=QUESTION, defaults=Settings(seeds=3, updates=800), run=run)
