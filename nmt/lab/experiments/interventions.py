"""Interventions in an LSTM while it reads: the forget gate set to 1, the cell or hidden state set to 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nmt.data.batches import Batch
from nmt.lab.experiments import stories
from nmt.lab.experiments.architectures import reading_cell
from nmt.lab.experiments.learning import all_right
from nmt.lab.experiments.stories import Story
from nmt.models.cells import Cell
from nmt.models.protocol import Memory
from nmt.models.recurrent import RecurrentModel

INTACT = "intact"
ALWAYS, AT_DEATHS, AT_CROWNS = (
    "forget gate at 1 throughout",
    "forget gate at 1 at deaths",
    "forget gate at 1 at coronations",
)
NO_CELL = {"midway": "cell zeroed midway", "asked": "cell zeroed before the question"}
NO_HIDDEN = {"midway": "hidden zeroed midway", "asked": "hidden zeroed before the question"}
NEITHER = "both zeroed before the question"


@dataclass(frozen=True)
class Intervention:
    """The steps at which to interfere, ``(batch, time)`` of bool each."""

    forget_open: Tensor
    """The forget gate is 1 in this step."""
    no_cell: Tensor
    """The cell state is 0 before this step."""
    no_hidden: Tensor
    """The hidden state is 0 before this step."""


def thought_vector(model: RecurrentModel, source: Tensor, intervention: Intervention) -> Tensor:
    """The final hidden state ``(batch, hidden)`` under an intervention, for sources without padding."""
    cell = reading_cell(model)
    zeroed = torch.stack([intervention.no_hidden, intervention.no_cell], -1)
    zeroed = zeroed.repeat_interleave(cell.hidden, -1)  # (batch, time, 2) -> (batch, time, state)
    state = zeroed.new_zeros(len(source), cell.state_width, dtype=torch.float)
    for time, projected in enumerate(cell.project(model.embed_source(source)).unbind(1)):
        before = state.masked_fill(zeroed[:, time], 0.0)
        state = _step(cell, projected, before, intervention.forget_open[:, time, None])
    return cell.output(state)


def _step(cell: Cell, projected: Tensor, state: Tensor, forget_open: Tensor) -> Tensor:
    """`Cell.step` of an LSTM with the forget gate at 1 where ``forget_open``, ``(batch, 1)``."""
    gates = cell.gates(projected, state)
    kept = gates["forget"].masked_fill(forget_open, 1.0) * state[:, cell.hidden :] + gates["input"] * gates["candidate"]
    return torch.cat([gates["output"] * torch.tanh(kept), kept], -1)


@torch.no_grad()
def right(model: RecurrentModel, batch: Batch, intervention: Intervention) -> Tensor:
    """For each example whether every target token is ranked first, ``(batch,)`` of bool; sources have no padding."""
    slots = model.bottleneck(thought_vector(model, batch.source, intervention)).unsqueeze(1)
    memory = Memory(slots, batch.source_mask[:, :1], model.attention.keys(slots))
    return all_right(model.decode(batch.previous, memory), batch)


def interventions(sample: Sequence[Story]) -> dict[str, Intervention]:
    """All interventions by name. Midway lies between the word that settles the answer and the question."""
    kinds = stories.kinds_of(sample)
    asked = np.full(len(sample), stories.LENGTH - 3)
    midway = (np.array([story.settled for story in sample]) + 1 + asked) // 2
    never = np.zeros(kinds.shape, dtype=bool)
    at_midway, at_question = (np.arange(kinds.shape[1]) == place[:, None] for place in (midway, asked))
    return {
        INTACT: _intervention(never, never, never),
        ALWAYS: _intervention(~never, never, never),
        AT_DEATHS: _intervention(np.isin(kinds, ("king dies", "bystander dies")), never, never),
        AT_CROWNS: _intervention(kinds == "king rules", never, never),
        NO_CELL["midway"]: _intervention(never, at_midway, never),
        NO_HIDDEN["midway"]: _intervention(never, never, at_midway),
        NO_CELL["asked"]: _intervention(never, at_question, never),
        NO_HIDDEN["asked"]: _intervention(never, never, at_question),
        NEITHER: _intervention(never, at_question, at_question),
    }


def _intervention(forget_open: np.ndarray, no_cell: np.ndarray, no_hidden: np.ndarray) -> Intervention:
    return Intervention(*map(torch.as_tensor, (forget_open, no_cell, no_hidden)))
