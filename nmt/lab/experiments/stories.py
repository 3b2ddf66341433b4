"""Stories of kings, the task of `gates`: a coronation says who rules, a death ends the reign, and the end asks who
rules.

``Ada rules ... Cem travels ... Ada dies ... Bo rules ... who rules ?`` In a `succession` somebody always rules at the
end, so the last coronation decides and deaths need not be understood. In an `interregnum` a third of the stories end
without a king, so a king has to be forgotten when he dies. Bystanders die and travel too, so neither a name nor a death
decides by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nmt.data.batches import Batch, collate
from nmt.lab.experiments.learning import FIRST_TOKEN

NAMES = ("Ada", "Bo", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana")
RULES, DIES, TRAVELS, WHO, ASKED, NOBODY = range(FIRST_TOKEN + len(NAMES), FIRST_TOKEN + len(NAMES) + 6)
FILLER, FILLERS = NOBODY + 1, 30
VOCABULARY = FILLER + FILLERS
REIGNS = 3
"""Kings of a story at most."""
LENGTH = 30
"""Tokens of every story with its question, without the end token. Equal lengths need no mask."""
EMPTY = 1 / 3
"""Share of stories of an interregnum that end without a king."""
TASKS = {"succession": 0.0, "interregnum": EMPTY}
"""The share of stories without a king at the end, by task."""

KINDS = ("filler", "name", "bystander travels", "bystander dies", "king dies", "king rules", "question")
"""Kinds of positions. An event stands at its verb; its name is a `name`. The end token belongs to the question."""


class Event(NamedTuple):
    """A name, a verb, and the kind of the position of the verb."""

    name: int
    verb: int
    kind: str


class Story(NamedTuple):
    """Tokens without the end token, the kind of each position and of the end token, and the answer."""

    tokens: list[int]
    kinds: list[str]
    answer: int
    settled: int
    """Position of the verb that decides the answer."""


def draw_story(generator: np.random.Generator, empty: float) -> Story:
    """One to three reigns, two bystanders, and fillers; with probability ``empty`` the last king dies too."""
    names = [FIRST_TOKEN + int(each) for each in generator.permutation(len(NAMES))]
    kings, (first, second) = names[: generator.integers(1, REIGNS, endpoint=True)], names[-2:]
    events = [event for king in kings for event in (Event(king, RULES, "king rules"), Event(king, DIES, "king dies"))]
    vacant = generator.random() < empty
    events = events if vacant else events[:-1]
    decisive = events[-1]
    for event in (Event(first, DIES, "bystander dies"), Event(second, TRAVELS, "bystander travels")):
        events.insert(int(generator.integers(len(events) + 1)), event)
    return _with_fillers(generator, events, decisive, NOBODY if vacant else kings[-1])


def _with_fillers(generator: np.random.Generator, events: Sequence[Event], decisive: Event, answer: int) -> Story:
    """The events in order at random positions among fillers, and the question."""
    items = LENGTH - 3 - len(events)  # an event is two tokens
    places = set(generator.permutation(items)[: len(events)].tolist())
    fillers = (FILLER + generator.integers(FILLERS, size=items)).tolist()
    tokens, kinds, coming, settled = list[int](), list[str](), iter(events), 0
    for place in range(items):
        if place in places:
            event = next(coming)
            tokens += [event.name, event.verb]
            kinds += ["name", event.kind]
            settled = len(tokens) - 1 if event is decisive else settled
        else:
            tokens.append(fillers[place])
            kinds.append("filler")
    return Story([*tokens, WHO, RULES, ASKED], [*kinds, *["question"] * 4], answer, settled)


def draw_stories(generator: np.random.Generator, empty: float, count: int) -> list[Story]:
    """That many stories."""
    return [draw_story(generator, empty) for _ in range(count)]


def batch_of(stories: Sequence[Story]) -> Batch:
    """Stories with their questions as sources, the ruler as target."""
    return collate([story.tokens for story in stories], [[story.answer] for story in stories])


def words(story: Story) -> list[str]:
    """The words of a story, a dot for each filler, and its end token."""
    spelled = {RULES: "rules", DIES: "dies", TRAVELS: "travels", WHO: "who", ASKED: "?"}
    spelled.update(enumerate(NAMES, FIRST_TOKEN))
    return [*(spelled.get(token, "·") for token in story.tokens), "end"]


def kinds_of(stories: Sequence[Story]) -> np.ndarray:
    """The kind of each position ``(story, time)``, the end token included."""
    return np.array([story.kinds for story in stories])
