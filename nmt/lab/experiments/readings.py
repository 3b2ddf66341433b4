"""Readings: what an LSTM shows while it reads stories, and what it still knows after surgery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from nmt.lab.experiments import stories
from nmt.lab.experiments.contrasts import Contrast, closing_unit, contrast
from nmt.lab.experiments.intervals import Interval, wilson
from nmt.lab.experiments.stories import Story
from nmt.lab.experiments.surgery import reading_cell, right, surgeries
from nmt.lab.experiments.traces import trace
from nmt.models.recurrent import RecurrentModel

STORIES = 400
"""Test stories of a task, the same for every seed."""
CONTRASTS = {
    "forget": ("king dies", "bystander dies", "king rules", "question"),
    "input": ("king rules", "king dies", "question"),
    "output": ("king rules", "king dies", "question"),
}
"""The events at which each gate is compared with filler words."""


class Reading(NamedTuple):
    """What one trained model showed."""

    accuracy: dict[str, Interval]
    """Right answers by surgery."""
    contrasts: dict[str, dict[str, Contrast]]
    """By gate and event, the mean over units."""
    unit: int
    """The unit whose forget gate closes most for a king's death against a bystander's, on one half of the stories,"""
    unit_contrast: Contrast
    """and how far it does on the other half. The word is the same, so that only what was understood can tell them apart."""
    example: list[list[float]]
    """Gates along the example story: forget, input and output as means over units, and the forget gate of that unit."""


def example_of(told: Sequence[Story]) -> Story:
    """The first story with two kings."""
    return next(story for story in told if story.kinds.count("king rules") == 2)


@torch.no_grad()
def read(model: RecurrentModel, told: Sequence[Story]) -> Reading:
    """Watches the gates of a trained model over stories, then operates on it."""
    batch, kinds = stories.batch_of(told), stories.kinds_of(told)
    traced = trace(reading_cell(model), model.embed_source(batch.source))
    gates = {name: getattr(traced, name).numpy() for name in CONTRASTS}
    unit, unit_contrast = closing_unit(gates["forget"], kinds, "king dies", "bystander dies")
    row = told.index(example_of(told))
    return Reading(
        accuracy={
            name: wilson(int(right(model, batch, each).sum()), len(told)) for name, each in surgeries(told).items()
        },
        contrasts={
            gate: {kind: contrast(gates[gate].mean(-1), kinds, kind) for kind in events}
            for gate, events in CONTRASTS.items()
        },
        unit=unit,
        unit_contrast=unit_contrast,
        example=[*(gate[row].mean(-1).tolist() for gate in gates.values()), gates["forget"][row, :, unit].tolist()],
    )


def told_in(task: str) -> list[Story]:
    """The stories that a task is measured on."""
    return stories.draw_stories(np.random.default_rng(0), stories.TASKS[task], STORIES)
