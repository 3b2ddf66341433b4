from __future__ import annotations

import numpy as np
import pytest

from nmt.data.vocabulary import EOS
from nmt.lab.experiments import stories
from nmt.lab.experiments.stories import (
    ASKED,
    DIES,
    FILLER,
    LENGTH,
    NOBODY,
    REIGNS,
    RULES,
    VOCABULARY,
    WHO,
    Story,
    draw_stories,
)


def drawn(task: str) -> list[Story]:
    return draw_stories(np.random.default_rng(1), stories.TASKS[task], 300)


def ruler(tokens: list[int]) -> tuple[int, int]:
    """The ruler at the end and the position that decides it, from reading the story left to right."""
    king, since = NOBODY, -1
    for place in range(1, LENGTH - 3):
        name, verb = tokens[place - 1 : place + 1]
        if verb == RULES:
            king, since = name, place
        elif verb == DIES and name == king:
            king, since = NOBODY, place
    return king, since


@pytest.mark.parametrize("task", list(stories.TASKS))
def test_the_answer_is_the_ruler_at_the_end_and_settled_is_the_deciding_position(task: str) -> None:
    assert [(story.answer, story.settled) for story in drawn(task)] == [ruler(story.tokens) for story in drawn(task)]


@pytest.mark.parametrize("task", list(stories.TASKS))
def test_every_story_has_the_same_length_and_ends_with_the_question(task: str) -> None:
    assert {len(story.tokens) for story in drawn(task)} == {LENGTH}
    assert {tuple(story.tokens[-3:]) for story in drawn(task)} == {(WHO, RULES, ASKED)}
    batch = stories.batch_of(drawn(task))
    assert bool(batch.source_mask.all())
    assert set(batch.source[:, -1].tolist()) == {EOS}
    assert int(batch.source.max()) < VOCABULARY


def test_the_throne_is_empty_in_a_third_of_interregnums_and_never_in_successions() -> None:
    empty = {task: np.mean([story.answer == NOBODY for story in drawn(task)]) for task in stories.TASKS}
    assert empty["succession"] == 0
    assert 0.25 < empty["interregnum"] < 0.42


def test_a_king_rules_only_after_the_one_before_has_died() -> None:
    for story in drawn("interregnum"):
        told = [kind for kind in story.kinds if kind in ("king rules", "king dies")]
        assert told == (["king rules", "king dies"] * REIGNS)[: len(told)]


def test_every_position_is_of_the_kind_that_is_written_there() -> None:
    spelled = {"king rules": RULES, "king dies": DIES, "bystander dies": DIES, "bystander travels": stories.TRAVELS}
    for story in drawn("interregnum"):
        assert story.kinds[-4:] == ["question"] * 4
        for token, kind in zip(story.tokens[:-3], story.kinds, strict=False):
            assert (token >= FILLER) == (kind == "filler")
            assert kind in ("filler", "name") or spelled[kind] == token


def test_a_bystander_never_rules() -> None:
    for story in drawn("succession"):
        named = {
            kind: {story.tokens[place - 1] for place, each in enumerate(story.kinds) if each == kind}
            for kind in stories.KINDS
        }
        assert not named["king rules"] & (named["bystander dies"] | named["bystander travels"])
        assert named["king dies"] <= named["king rules"]
