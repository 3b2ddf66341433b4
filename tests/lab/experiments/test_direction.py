from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.data.vocabulary import PAD
from nmt.lab.experiments.direction import (
    AMBIGUOUS,
    CELLS,
    CUES,
    DIRECTIONS,
    EXPERIMENT,
    FILLERS,
    LONGEST,
    REACH,
    SENSES,
    SHORTEST,
    VOCABULARY,
    Count,
    Results,
    Tagged,
    Tagger,
    claim,
    draw,
    draw_sentences,
    measure,
)
from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN

WORD, CUE = FIRST_TOKEN + FILLERS, FIRST_TOKEN + FILLERS + AMBIGUOUS
SENTENCES = draw_sentences(np.random.default_rng(0), 4000)
ROWS = torch.arange(len(SENTENCES.place))


def test_a_sentence_has_one_ambiguous_word_and_one_cue_of_its_sense() -> None:
    tokens = SENTENCES.tokens
    assert bool((((tokens >= WORD) & (tokens < CUE)).sum(1) == 1).all())
    assert bool(((tokens >= CUE).sum(1) == 1).all())
    assert bool(((tokens[ROWS, SENTENCES.place] >= WORD) & (tokens[ROWS, SENTENCES.place] < CUE)).all())
    cues = tokens[ROWS, SENTENCES.place + SENTENCES.distance]
    assert torch.equal((cues - CUE) // CUES, SENTENCES.sense)
    assert set(cues.tolist()) == set(range(CUE, VOCABULARY))


def test_the_cue_stands_at_every_distance_on_both_sides_and_never_in_the_padding() -> None:
    lengths = SENTENCES.mask.sum(1)
    assert (int(lengths.min()), int(lengths.max())) == (SHORTEST, LONGEST)
    assert set(SENTENCES.distance.tolist()) == {*range(-REACH, 0), *range(1, REACH + 1)}
    ends = torch.stack([SENTENCES.place, SENTENCES.place + SENTENCES.distance])
    assert bool(((ends >= 0) & (ends < lengths)).all())
    assert torch.equal(SENTENCES.tokens == PAD, ~SENTENCES.mask)


def test_nothing_but_the_cue_predicts_the_sense() -> None:
    """Word, position, side of the cue and length do not predict the sense; seven standard errors of a share."""
    word = SENTENCES.tokens[ROWS, SENTENCES.place]
    for group in (word == WORD, SENTENCES.place < 5, SENTENCES.distance > 0, SENTENCES.mask.sum(1) < 18):
        count = int(group.sum())
        assert float(SENTENCES.sense[group].float().mean()) == pytest.approx(1 / SENSES, abs=3.5 * count**-0.5)


@pytest.mark.parametrize("direction", DIRECTIONS)
@torch.no_grad()
def test_a_tag_depends_on_the_words_that_its_direction_reads(direction: str) -> None:
    torch.manual_seed(1)
    tagger, sentences = Tagger("gru", direction), draw_sentences(np.random.default_rng(1), 50)
    moved = sentences.tokens.clone()
    cue = moved[torch.arange(50), sentences.place + sentences.distance]
    moved[torch.arange(50), sentences.place + sentences.distance] = FIRST_TOKEN + (cue - FIRST_TOKEN + CUES) % FILLERS
    other = Tagged(moved, sentences.mask, sentences.place, sentences.sense, sentences.distance)
    seen = (tagger.at(sentences) != tagger.at(other)).any(1)
    expected = {
        "forward": sentences.distance < 0,
        "backward": sentences.distance > 0,
        "both": torch.ones(50, dtype=torch.bool),
    }
    assert torch.equal(seen, expected[direction])


def test_right_tags_are_counted_by_distance() -> None:
    class Always(Tagger):
        def at(self, sentences: Tagged) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0]]).expand(len(sentences.place), 2)

    sentences = Tagged(
        SENTENCES.tokens[:4],
        SENTENCES.mask[:4],
        SENTENCES.place[:4],
        torch.tensor([1, 0, 1, 1]),
        torch.tensor([-2, -2, 3, 3]),
    )
    assert measure(Always("tanh", "forward"), sentences) == {-2: Count(1, 2), 3: Count(2, 2)}


def results(*rights: tuple[int, int, int]) -> Results:
    """Right tags of 1000 by cell and direction with the cue after the word; with the cue before it all are right."""
    return {
        (kind, direction): [{1: Count(right, 1000), -1: Count(1000, 1000)}]
        for kind, of_cell in zip(CELLS, rights, strict=False)
        for direction, right in zip(DIRECTIONS, of_cell, strict=True)
    }


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (results((500, 700, 1000)), "holds"),
        (results((500, 1000, 1000)), "holds under conditions"),  # the right alone is enough
        (results((500, 700, 1000), (500, 700, 800)), "holds under conditions"),
        (results((500, 700, 800)), "does not hold"),
        (results((900, 700, 1000)), "does not hold"),
    ],
)
def test_the_verdict_follows_the_numbers(given: Results, verdict: Verdict) -> None:
    found = claim(given)
    assert (found.id, found.verdict) == ("D1", verdict)
    assert ("reading backward is enough" in found.number) == (given["tanh", "backward"][0][1].right == 1000)


def test_models_that_never_know_the_sense_do_not_answer_the_claim() -> None:
    unlearned = {name: [{1: Count(520, 1000), -1: Count(800, 1000)}] for name in results((0, 0, 0))}
    assert claim(unlearned).verdict == "not answered"


def test_the_experiment_gives_a_row_for_each_cell_direction_and_side() -> None:
    said: list[str] = []
    outcome = EXPERIMENT(Options(cells=("gru",), seeds=2, updates=2), said.append)
    assert [row[:3] for row in outcome.rows] == [
        ("gru", direction, side) for side in ("after", "before") for direction in DIRECTIONS
    ]
    assert len(said) == 6
    assert all(40 < float(row[3] or 0) < 60 for row in outcome.rows)  # two updates learn nothing; six standard errors


def test_the_figure_leaves_out_the_place_of_the_word_itself() -> None:
    pytest.importorskip("matplotlib")
    axes, *_ = draw(results((500, 1000, 1000))).axes
    for line in axes.get_lines():
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata(), float)
        drawn = set(x[~np.isnan(y)].tolist())
        assert drawn == {-1, 1}
