from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.lab.experiments import stories
from nmt.lab.experiments.architectures import reading_cell, recurrent
from nmt.lab.experiments.interventions import (
    ALWAYS,
    AT_CROWNS,
    AT_DEATHS,
    INTACT,
    NEITHER,
    NO_CELL,
    NO_HIDDEN,
    interventions,
    right,
    thought_vector,
)
from nmt.lab.experiments.learning import exact
from nmt.lab.experiments.stories import LENGTH, Story
from nmt.models.recurrent import RecurrentModel


@pytest.fixture
def sample() -> list[Story]:
    return stories.draw_stories(np.random.default_rng(1), 1 / 3, 60)


@pytest.fixture
def model() -> RecurrentModel:
    torch.manual_seed(1)
    return recurrent(stories.VOCABULARY, hidden=12)


@torch.no_grad()
def test_without_an_intervention_the_thought_vector_is_the_models_own(
    model: RecurrentModel, sample: list[Story]
) -> None:
    batch = stories.batch_of(sample)
    expected = model.encode(batch.source, batch.source_mask).slots[:, 0]
    torch.testing.assert_close(
        thought_vector(model, batch.source, interventions(sample)[INTACT]), expected, atol=1e-6, rtol=0.0
    )


def test_without_an_intervention_the_answers_are_the_models_own(model: RecurrentModel, sample: list[Story]) -> None:
    batch = stories.batch_of([story._replace(answer=sample[0].answer) for story in sample])
    with torch.no_grad():
        model.output.bias[sample[0].answer] = 0.5  # near the threshold, so that some are right and some are not
    assert right(model, batch, interventions(sample)[INTACT]).tolist() == exact(model, batch).tolist()


@torch.no_grad()
def test_a_forget_gate_at_1_equals_one_with_a_very_large_bias(model: RecurrentModel, sample: list[Story]) -> None:
    batch, cell = stories.batch_of(sample), reading_cell(model)
    held = thought_vector(model, batch.source, interventions(sample)[ALWAYS])
    cell.layer.bias_ih_l0[cell.hidden : 2 * cell.hidden] = 100.0
    torch.testing.assert_close(
        held, thought_vector(model, batch.source, interventions(sample)[INTACT]), atol=1e-6, rtol=0.0
    )


@torch.no_grad()
def test_without_both_states_only_the_question_is_read(model: RecurrentModel, sample: list[Story]) -> None:
    source = stories.batch_of(sample).source
    rest = reading_cell(model).sequence(model.embed_source(source[:, LENGTH - 3 :]))[:, -1]
    torch.testing.assert_close(thought_vector(model, source, interventions(sample)[NEITHER]), rest, atol=1e-6, rtol=0.0)


@torch.no_grad()
@pytest.mark.parametrize("name", [NO_CELL["asked"], NO_HIDDEN["asked"]])
def test_without_one_state_reading_continues_with_the_other(
    name: str, model: RecurrentModel, sample: list[Story]
) -> None:
    source, cell = stories.batch_of(sample).source, reading_cell(model)
    state = torch.zeros(len(sample), cell.state_width)
    for time, projected in enumerate(cell.project(model.embed_source(source)).unbind(1)):
        if time == LENGTH - 3:
            state[:, slice(cell.hidden, None) if name in NO_CELL.values() else slice(cell.hidden)] = 0.0
        state = cell.step(projected, state)
    torch.testing.assert_close(
        thought_vector(model, source, interventions(sample)[name]), cell.output(state), atol=1e-6, rtol=0.0
    )


def test_midway_comes_after_what_settles_the_answer_and_not_after_the_question(sample: list[Story]) -> None:
    places = interventions(sample)[NO_CELL["midway"]].no_cell.int()
    assert set(places.sum(1).tolist()) == {1}
    assert all(
        story.settled < place <= LENGTH - 3 for story, place in zip(sample, places.argmax(1).tolist(), strict=True)
    )


def test_gates_are_held_at_the_verbs_of_deaths_and_of_coronations(sample: list[Story]) -> None:
    tokens, done = stories.batch_of(sample).source, interventions(sample)
    assert set(tokens[done[AT_DEATHS].forget_open].tolist()) == {stories.DIES}
    assert int(done[AT_DEATHS].forget_open.sum()) == int((tokens == stories.DIES).sum())
    assert int(done[AT_CROWNS].forget_open.sum()) == int((tokens == stories.RULES).sum()) - len(
        sample
    )  # the question says it once more
