"""Surgery on an LSTM while it reads: gates held open, states wiped out, and what the decoder still says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nmt.data.batches import Batch
from nmt.lab.experiments import stories
from nmt.lab.experiments.stories import Story
from nmt.models.cells import Cell
from nmt.models.encoders import RecurrentEncoder
from nmt.models.protocol import Memory
from nmt.models.recurrent import RecurrentModel

INTACT, ALWAYS, AT_DEATHS, AT_CROWNS = (
    "intact",
    "forget gate at 1 throughout",
    "forget gate at 1 at deaths",
    "forget gate at 1 at coronations",
)
NO_CELL = {"midway": "cell zeroed midway", "asked": "cell zeroed before the question"}
NO_HIDDEN = {"midway": "hidden zeroed midway", "asked": "hidden zeroed before the question"}
NEITHER = "both zeroed before the question"


@dataclass(frozen=True)
class Surgery:
    """Where to interfere, ``(batch, time)`` of bool."""

    held: Tensor
    """The forget gate is 1 in this step."""
    no_cell: Tensor
    """The cell state is 0 before this step."""
    no_hidden: Tensor
    """The hidden state is 0 before this step."""


def reading_cell(model: RecurrentModel) -> Cell:
    """The encoder's cell, of a model that reads forward with a single layer."""
    encoder = model.encoder
    assert isinstance(encoder, RecurrentEncoder)
    assert encoder.layers == 1
    assert not encoder.backwards
    return encoder.forwards[0]


def thought_vector(model: RecurrentModel, source: Tensor, surgery: Surgery) -> Tensor:
    """What is left of sources ``(batch, source)`` without padding when they are read under surgery: ``(batch, hidden)``."""
    cell = reading_cell(model)
    wiped = torch.stack([surgery.no_hidden, surgery.no_cell], -1).repeat_interleave(
        cell.hidden, -1
    )  # (batch, time, state)
    state = wiped.new_zeros(len(source), cell.state_width, dtype=torch.float)
    for time, projected in enumerate(cell.project(model.embed_source(source)).unbind(1)):
        state = _step(cell, projected, state.masked_fill(wiped[:, time], 0.0), surgery.held[:, time, None])
    return cell.output(state)


def _step(cell: Cell, projected: Tensor, state: Tensor, held: Tensor) -> Tensor:
    """`Cell.step` of an LSTM, with the forget gate at 1 in the rows ``(batch, 1)`` where it is held."""
    gates = cell.gates(projected, state)
    kept = gates["forget"].masked_fill(held, 1.0) * state[:, cell.hidden :] + gates["input"] * gates["candidate"]
    return torch.cat([gates["output"] * torch.tanh(kept), kept], -1)


@torch.no_grad()
def right(model: RecurrentModel, batch: Batch, surgery: Surgery) -> Tensor:
    """Which targets of a batch without source padding are ranked first, piece by piece, after surgery: ``(batch,)`` of bool."""
    slots = model.bottleneck(thought_vector(model, batch.source, surgery)).unsqueeze(1)
    memory = Memory(slots, batch.source_mask[:, :1], model.attention.keys(slots))
    found = model.decode(batch.previous, memory).argmax(-1)
    return ((found == batch.expected) | ~batch.target_mask).all(1)


def surgeries(told: Sequence[Story]) -> dict[str, Surgery]:
    """All that is done to the memory, by name. Midway lies between the word that settles the answer and the question."""
    kinds = stories.kinds_of(told)
    asked = np.full(len(told), stories.LENGTH - 3)
    midway = (np.array([story.settled for story in told]) + 1 + asked) // 2
    death, crown = np.isin(kinds, ("king dies", "bystander dies")), kinds == "king rules"
    found = {INTACT: _surgery(kinds), ALWAYS: _surgery(kinds, held=kinds != ""), AT_DEATHS: _surgery(kinds, held=death)}
    found[AT_CROWNS] = _surgery(kinds, held=crown)
    for name, places in (("midway", midway), ("asked", asked)):
        here = np.arange(kinds.shape[1]) == places[:, None]
        found |= {NO_CELL[name]: _surgery(kinds, no_cell=here), NO_HIDDEN[name]: _surgery(kinds, no_hidden=here)}
    return {**found, NEITHER: _surgery(kinds, no_cell=here, no_hidden=here)}


def _surgery(kinds: np.ndarray, **where: np.ndarray) -> Surgery:
    """Interference at the given positions ``(story, time)``, and nowhere where none are given."""
    nowhere = torch.zeros(kinds.shape, dtype=torch.bool)
    masks: dict[str, Tensor] = {"held": nowhere, "no_cell": nowhere, "no_hidden": nowhere}
    return Surgery(**{**masks, **{name: torch.from_numpy(mask) for name, mask in where.items()}})
