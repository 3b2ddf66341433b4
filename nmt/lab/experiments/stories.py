"""Stories of kings: who rules is said, overtaken by deaths, buried in other words, and asked for at the end.

``Ada rules ... Cem travels ... Ada dies ... Bo rules ... who rules ?`` In a `succession` somebody rules in the end, so that the last
coronation decides and no death needs to be understood. In an `interregnum` every third story ends with a throne left empty by a death,
so that a king has to be forgotten. Bystanders die and travel too: neither a name nor a death says anything by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nmt.data.batches import Batch, collate
from nmt.lab.experiments.learning import FIRST

NAMES = ("Ada", "Bo", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana")
RULES, DIES, TRAVELS, WHO, ASKED, NOBODY = range(FIRST + len(NAMES), FIRST + len(NAMES) + 6)
FILLER, FILLERS = NOBODY + 1, 30
VOCABULARY = FILLER + FILLERS
REIGNS = 3
"""Kings of a story at most."""
LENGTH = 30
"""Pieces of every story with its question, without the end piece; equal lengths spare the experiment all masks."""
EMPTY = 1 / 3
"""Share of the stories of an interregnum in which the throne is empty in the end."""
TASKS = {"succession": 0.0, "interregnum": EMPTY}
"""The share of empty thrones in each."""

KINDS = ("filler", "name", "bystander travels", "bystander dies", "king dies", "king rules", "question")
"""What stands at a position; an event stands at its verb, which ends it, and its name is counted nowhere. The end piece is asked as well."""


class Event(NamedTuple):
    """Somebody does something."""

    name: int
    verb: int
    kind: str


class Story(NamedTuple):
    """Pieces without the end piece, what each of them and the end piece is, the answer, and where that was settled: a verb's position."""

    pieces: list[int]
    kinds: list[str]
    answer: int
    settled: int


def draw_story(generator: np.random.Generator, empty: float) -> Story:
    """One to three reigns, two bystanders, and fillers between them, all drawn evenly; ``empty``: how often the last king dies as well."""
    names = [FIRST + int(each) for each in generator.permutation(len(NAMES))]
    kings, (first, second) = names[: generator.integers(1, REIGNS, endpoint=True)], names[-2:]
    events = [event for king in kings for event in (Event(king, RULES, "king rules"), Event(king, DIES, "king dies"))]
    vacant = generator.random() < empty
    events = events if vacant else events[:-1]
    decisive = events[-1]
    for event in (Event(first, DIES, "bystander dies"), Event(second, TRAVELS, "bystander travels")):
        events.insert(int(generator.integers(len(events) + 1)), event)
    return _told(generator, events, decisive, NOBODY if vacant else kings[-1])


def _told(generator: np.random.Generator, events: Sequence[Event], decisive: Event, answer: int) -> Story:
    """The events in their order with fillers before, between and after them, and the question."""
    items = LENGTH - 3 - len(events)  # an event is two pieces
    places = set(generator.permutation(items)[: len(events)].tolist())
    fillers = (FILLER + generator.integers(FILLERS, size=items)).tolist()
    pieces, kinds, coming, settled = list[int](), list[str](), iter(events), 0
    for place in range(items):
        if place in places:
            event = next(coming)
            pieces += [event.name, event.verb]
            kinds += ["name", event.kind]
            settled = len(pieces) - 1 if event is decisive else settled
        else:
            pieces.append(fillers[place])
            kinds.append("filler")
    return Story([*pieces, WHO, RULES, ASKED], [*kinds, *["question"] * 4], answer, settled)


def draw_stories(generator: np.random.Generator, empty: float, count: int) -> list[Story]:
    """That many stories."""
    return [draw_story(generator, empty) for _ in range(count)]


def batch_of(stories: Sequence[Story]) -> Batch:
    """Stories with their questions as sources, the ruler as target."""
    return collate([story.pieces for story in stories], [[story.answer] for story in stories])


def words(story: Story) -> list[str]:
    """The story to be read, a dot for each filler, with its end piece."""
    spelled = {RULES: "rules", DIES: "dies", TRAVELS: "travels", WHO: "who", ASKED: "?"}
    spelled.update(enumerate(NAMES, FIRST))
    return [*(spelled.get(piece, "·") for piece in story.pieces), "end"]


def kinds_of(told: Sequence[Story]) -> np.ndarray:
    """What stands at each position ``(story, time)``, the end piece included."""
    return np.array([story.kinds for story in told])
