"""What holds by construction, checked in numbers: one row for each equation, shape or identity, with what was measured and what was expected.

Most rows need no training; attention learns to turn strings round before its weights are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import nan
from operator import eq, ge, gt, le, lt
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from nmt.lab.experiments.alignment import BATCH, LONGEST, PEAK, SHORTEST, SYMBOLS, TEST, VOCABULARY, Reading, learned
from nmt.lab.experiments.experiment import Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.learning import FIRST, recurrent, transformer
from nmt.lab.experiments.traces import trace, unroll
from nmt.models.cells import CELLS, Cell
from nmt.models.encoders import RecurrentEncoder
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters

QUESTION = "Do the models compute what their papers say, in cells, shapes and memory?"
LENGTHS = (3, 30, 300)
"""Source pieces."""
HIDDEN, STEPS, ROWS = 64, 50, 8
"""Units, steps of a recurrence, and sequences at a time."""
STEP_ROUNDING, LOGIT_ROUNDING = 1e-6, 1e-5
"""What single precision may make of two orders of the same sums: in a state, and in logits behind several layers."""

Relation: TypeAlias = Literal["=", "at most", "at least", "above", "below"]
RELATIONS: dict[Relation, Callable[[float, float], bool]] = {
    "=": eq,
    "at most": le,
    "at least": ge,
    "above": gt,
    "below": lt,
}


class Check(NamedTuple):
    """A number that was measured for a claim, and what it was expected to be: a bound or a value, by its relation."""

    claim: str
    what: str
    measured: float
    relation: Relation
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it is as expected."""
        return RELATIONS[self.relation](self.measured, self.bound)


def any_length() -> Iterator[Check]:
    """A4: one set of weights for sources of any length."""
    for kind in CELLS:
        model = recurrent(VOCABULARY, cell=kind)
        before = parameters(model)
        for length in (LENGTHS[0], LENGTHS[-1]):
            finite = model(*random_sources(length), torch.full((ROWS, 2), FIRST)).isfinite().all()
            yield Check(
                "A4",
                f"{kind}: parameters of a model that has read {length} pieces",
                parameters(model) if finite else nan,
                "=",
                before,
            )


def cells_step_by_step() -> Iterator[Check]:
    """A4, B1 and C1: the equations of `Cell.step` against torch's own layers, over states from zeros."""
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
    found = trace(fresh_cell("lstm"), torch.randn(ROWS, STEPS, HIDDEN))
    gates = torch.stack([found.input, found.forget, found.output])
    yield Check("C1", f"lstm: smallest gate over {STEPS} steps", float(gates.min()), "above", 0.0)
    yield Check("C1", f"lstm: largest gate over {STEPS} steps", float(gates.max()), "below", 1.0)


def power_of_a_tenth() -> Iterator[Check]:
    """B4: the product of fifty tenths, where the smallest number above 0 is 1.4e-45 and where it is 4.9e-324."""
    yield Check("B4", "0.1^50 in float32", float(np.float32(0.1**50)), "=", 0.0)
    yield Check("B4", "0.1^50 in float64", float(np.float64(0.1**50)), "=", 0.0)


def memory_size() -> Iterator[Check]:
    """B10: how many numbers the decoder is given."""
    for length in LENGTHS:
        yield Check(
            "B10",
            f"thought vector: numbers in memory of {length} pieces",
            memory_numbers(recurrent(VOCABULARY), length),
            "=",
            HIDDEN,
        )


def memory_numbers(model: TranslationModel, length: int) -> int:
    """All numbers that a decoder is given of one source, keys included."""
    memory = model.encode(*random_sources(length))
    return sum(part[0].numel() for part in (memory.slots, *memory.keys))


def both_ways() -> Iterator[Check]:
    """D2: the states of two directions stand side by side."""
    encoder = RecurrentEncoder("lstm", HIDDEN, HIDDEN, 1, "both", False, forget_bias=1.0, dropout=0.0)
    states = encoder(torch.randn(ROWS, LENGTHS[0], HIDDEN), torch.ones(ROWS, LENGTHS[0], dtype=torch.bool))
    yield Check(
        "D2", f"width of a state read both ways by {HIDDEN} + {HIDDEN} units", states.shape[-1], "=", 2 * HIDDEN
    )


def bottleneck() -> Iterator[Check]:
    """E1: what reaches the logits when every encoder state is noise but the ends, in which each direction has read everything."""
    audits: tuple[tuple[str, str, Relation], ...] = (
        ("thought vector", "none", "="),
        ("attention", "bahdanau", "above"),
    )
    for name, attention, relation in audits:
        model = recurrent(VOCABULARY, attention=attention, direction="both").eval()
        yield Check(
            "E1",
            f"{name}: largest change of a logit by noise in all encoder states but the ends",
            change_by_noise(model),
            relation,
            0.0,
        )


def change_by_noise(model: TranslationModel) -> float:
    """The largest absolute change of a logit under teacher forcing."""
    source, mask = random_sources(LENGTHS[1])
    target = torch.randint(FIRST, VOCABULARY, (ROWS, SHORTEST))
    before = model(source, mask, target)
    hook = model.get_submodule("encoder").register_forward_hook(
        lambda module, inputs, states: noise_between_ends(states)
    )
    after = model(source, mask, target)
    hook.remove()
    return difference(before, after)


def noise_between_ends(states: Tensor) -> Tensor:
    """States read both ways, of which the last of the forward half and the first of the backward half are left: ``(batch, source, 2 x hidden)``."""
    hidden, noise = states.shape[-1] // 2, torch.randn_like(states)
    noise[:, -1, :hidden], noise[:, 0, hidden:] = states[:, -1, :hidden], states[:, 0, hidden:]
    return noise


def steps_and_whole() -> Iterator[Check]:
    """E6: decoding piece by piece gives what the whole pass gives."""
    for name, model in families().items():
        memory, target = model.encode(*random_sources(LENGTHS[1])), torch.randint(FIRST, VOCABULARY, (ROWS, LENGTHS[1]))
        found = difference(model.decode(target, memory), TranslationModel.decode(model, target, memory))
        yield Check(
            "E6", f"{name}: largest difference of a logit over {LENGTHS[1]} pieces", found, "at most", LOGIT_ROUNDING
        )


def families() -> dict[str, TranslationModel]:
    """A fresh model of each kind."""
    models = {
        "thought vector": recurrent(VOCABULARY),
        "attention": recurrent(VOCABULARY, attention="bahdanau", direction="both"),
    }
    return {name: model.eval() for name, model in {**models, "transformer": transformer(VOCABULARY)}.items()}


UNTRAINED: tuple[Callable[[], Iterator[Check]], ...] = (
    *(
        any_length,
        cells_step_by_step,
        gates_between,
        power_of_a_tenth,
        memory_size,
        both_ways,
        bottleneck,
        steps_and_whole,
    ),
)


def fresh_cell(kind: str) -> Cell:
    """A cell none of whose weights and biases is 0."""
    cell = Cell(kind, HIDDEN, HIDDEN)
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -(HIDDEN**-0.5), HIDDEN**-0.5)
    return cell


def random_sources(length: int) -> tuple[Tensor, Tensor]:
    """Token ids ``(batch, length)`` and their mask, without padding."""
    return torch.randint(FIRST, VOCABULARY, (ROWS, length)), torch.ones(ROWS, length, dtype=torch.bool)


def difference(one: Tensor, other: Tensor) -> float:
    """The largest absolute difference."""
    return float((one - other).abs().max())


def alignments(readings: Sequence[Reading]) -> Iterator[Check]:
    """E3: over seeds the worst row and padding, and the mean alignment."""
    aligned = [reading.aligned for reading in readings]
    yield Check(
        "E3",
        "attention: largest distance of a row's sum from 1",
        max(reading.sums for reading in readings),
        "at most",
        STEP_ROUNDING,
    )
    yield Check("E3", "attention: largest weight on padding", max(reading.padding for reading in readings), "=", 0.0)
    what = (
        f"strings turned round: % of pieces aligned (seeds from {100 * min(aligned):.1f} to {100 * max(aligned):.1f})"
    )
    yield Check("E3", what, 100 * float(np.mean(aligned)), "at least", 99.0)


def run(options: Options, log: Log) -> Outcome:
    """The untrained rows from seed 1, and attention's from each seed."""
    assert options.seeds is not None
    assert options.updates is not None
    torch.manual_seed(1)
    with torch.no_grad():
        checks = [check for make in UNTRAINED for check in make()]
    log(f"{sum(check.holds for check in checks)} of {len(checks)} rows as expected without training")
    readings = []
    for seed in range(1, options.seeds + 1):
        readings.append(learned(seed, options.updates))
        log(f"attention, seed {seed}: {readings[-1].aligned:.1%} aligned, {readings[-1].right:.1%} of strings right")
    return report(sorted([*checks, *alignments(readings)], key=lambda check: _place(check.claim)), readings, options)


def report(checks: Sequence[Check], readings: Sequence[Reading], options: Options) -> Outcome:
    """The outcome for all checks."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(options),
        columns=("claim", "what", "measured", "expected", "so"),
        rows=tuple(
            (
                check.claim,
                check.what,
                check.measured,
                f"{check.relation} {_shown(check.bound)}",
                "yes" if check.holds else "no",
            )
            for check in checks
        ),
        claims=claims(checks),
        notes=(
            "E3 and E6 here are the parts that hold by construction; what attention gains and what reading at once saves is measured elsewhere",
        ),
        details={"attention": [reading._asdict() for reading in readings]},
    )


def _conditions(options: Options) -> dict[str, Any]:
    return {
        "sizes": f"hidden {HIDDEN}, embedding 32, one layer; Transformer width 64, 2+2 layers; {ROWS} sequences at a time, weights of seed 1",
        "turned round": f"strings of {SHORTEST} to {LONGEST} of {SYMBOLS} symbols; {TEST} fresh ones read",
        "seeds": options.seeds,
        "updates": options.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "precision": "fp32",
    }


PARTS = {"E3": "weights alone: ", "E6": "a whole target read at once against piece by piece: "}
"""Claims of which only this part is measured here."""


def claims(checks: Sequence[Check]) -> tuple[Claim, ...]:
    """For each claim whether all its rows are as expected, some, or none."""
    return tuple(
        _claim(id, [check for check in checks if check.claim == id])
        for id in dict.fromkeys(check.claim for check in checks)
    )


def _claim(id: str, checks: Sequence[Check]) -> Claim:
    so = [check.holds for check in checks]
    verdict: Verdict = "holds" if all(so) else "holds under conditions" if any(so) else "does not hold"
    return Claim(id=id, number=PARTS.get(id, "") + "; ".join(map(_sentence, checks)), verdict=verdict)


def _sentence(check: Check) -> str:
    expected = "" if check.holds else f", expected {check.relation} {_shown(check.bound)}"
    return f"{check.what} {_shown(check.measured)}{expected}"


def _shown(number: float) -> str:
    """Counts in full, the rest to three digits."""
    return f"{number:,}" if isinstance(number, int) else f"{number:.3g}"


def _place(id: str) -> tuple[str, int]:
    return id[0], int(id[1:])


EXPERIMENT = Experiment(question=QUESTION, defaults=Options(seeds=3, updates=800), run=run)
