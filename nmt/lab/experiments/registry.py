"""The table of experiments: a new one is a file beside this and a line here. Listing them imports none of them, and so no torch."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import NamedTuple

from nmt.errors import UserError
from nmt.lab.experiments.experiment import Experiment


class Entry(NamedTuple):
    """Where an experiment is defined, as ``EXPERIMENT``, and what it asks."""

    module: str
    question: str


EXPERIMENTS = {
    "order": Entry("nmt.lab.experiments.order", "Does a model tell a sentence from the same words in another order?"),
    "direction": Entry(
        "nmt.lab.experiments.direction", "Can a word be read by what comes after it, one way and both ways?"
    ),
    "equations": Entry(
        "nmt.lab.experiments.equations", "Do the models compute what their papers say, in cells, shapes and memory?"
    ),
    "gradients": Entry(
        "nmt.lab.experiments.gradients",
        "How much gradient reaches the first step, and what do gates and clipping do about it?",
    ),
    "span": Entry("nmt.lab.experiments.span", "Over how many steps does each model learn to remember?"),
    "gaps": Entry("nmt.lab.experiments.gaps", "Does a name survive the words between its two mentions?"),
    "gates": Entry("nmt.lab.experiments.gates", "What do the gates of an LSTM do when the king dies?"),
    "parameters": Entry(
        "nmt.lab.experiments.parameters", "What does a GRU save against an LSTM, in parameters, time and quality?"
    ),
    "search": Entry(
        "nmt.lab.experiments.search", "Which errors are the model's and which are the search's, from beam 1 to 32?"
    ),
}
"""Probes by name, in the order of the story."""


def find(name: str) -> Experiment:
    """The experiment of that name; only now its module, and torch with it, is imported."""
    if name not in EXPERIMENTS:
        near = get_close_matches(name, EXPERIMENTS, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UserError(f"{name}: no such experiment; {meant}there are {', '.join(EXPERIMENTS)}")
    experiment = import_module(EXPERIMENTS[name].module).EXPERIMENT
    assert isinstance(experiment, Experiment)
    return experiment
