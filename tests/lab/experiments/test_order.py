from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.data.vocabulary import EOS
from nmt.errors import UserError
from nmt.lab.experiments import order
from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN
from nmt.lab.experiments.order import (
    CHANGED,
    EXPERIMENT,
    HELD_OUT,
    MODELS,
    NOUNS,
    ROUNDING,
    SHUFFLES,
    TESTING,
    TRAINING,
    VERBS,
    VOCABULARY,
    WORDS,
    Clause,
    Measurement,
    Phrase,
    claims,
    draw,
    draw_clause,
    logit_changes,
    measure,
    minimal_pairs,
    shuffled,
)
from nmt.models.protocol import Memory, Step, repeat

PAIRS = minimal_pairs(20)
SOURCES = [clause.source() for pair in PAIRS for clause in pair]


def measured(
    *, largest: float = 10.0, noticed: float = 1.0, both: float = 1.0, sentences: float = 1.0, same: float = 0.0
) -> Measurement:
    return Measurement(1, largest, noticed, both, sentences, same)


BAG = measured(largest=1e-6, noticed=0.0, both=0.0, sentences=0.3, same=1.0)


class Script:
    """A stand-in for a model that translates by a table; the state is the number of tokens written."""

    def __init__(self, table: dict[tuple[int, ...], list[int]]) -> None:
        self.table = table

    def encode(self, source: torch.Tensor, mask: torch.Tensor) -> Memory:
        targets = [self.table[tuple(token for token in row if token >= 4)] for row in source.tolist()]
        padded = torch.tensor([[*target, *[EOS] * (9 - len(target))] for target in targets])
        return Memory(padded.unsqueeze(-1), torch.ones_like(padded, dtype=torch.bool))

    def initial_state(self, memory: Memory) -> torch.Tensor:
        return torch.zeros(len(memory.slots), dtype=torch.long)

    def step(self, previous: torch.Tensor, state: torch.Tensor, memory: Memory) -> Step:
        memory = repeat(memory, len(previous) // len(memory.slots))
        tokens = memory.slots[torch.arange(len(state)), state, 0]
        return Step(torch.nn.functional.one_hot(tokens, VOCABULARY).float() * 9, state + 1, memory.mask.float())

    def parameters(self) -> list[torch.Tensor]:
        return []


def test_a_shuffle_has_the_same_tokens_in_another_order() -> None:
    generator = np.random.default_rng(0)
    for tokens in ([4, 4, 4, 5], [4, 5], SOURCES[0]):
        for _ in range(20):
            other = shuffled(tokens, generator)
            assert sorted(other) == sorted(tokens)
            assert other != tokens


def test_only_the_bag_of_words_is_unchanged_by_shuffling() -> None:
    """Without training. The bag is summed in another order, so its logits differ by rounding."""
    for name, make in MODELS.items():
        torch.manual_seed(1)
        changes = logit_changes(make().eval(), SOURCES)
        assert changes.shape == (SHUFFLES * len(SOURCES),)
        assert changes.max() < ROUNDING if name == "bag" else changes.min() > CHANGED, name


def test_pairs_count_only_where_both_sentences_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 20 pairs 10 are right, 5 in the first sentence only, and 5 get the first translation for both."""
    table = {tuple(clause.source()): clause.target() for pair in PAIRS for clause in pair}
    table.update({tuple(second.source()): [4] for _, second in PAIRS[10:15]})
    table.update({tuple(second.source()): first.target() for first, second in PAIRS[15:]})
    monkeypatch.setattr("nmt.lab.experiments.order.logit_changes", lambda *given: np.array([0.0, 0.5]))
    found = measure(Script(table), PAIRS)  # type: ignore[arg-type]  # a script offers what is asked of a model
    assert found == Measurement(0, 0.5, 0.5, 0.5, 0.75, 0.25)


@pytest.mark.parametrize(
    ("name", "changed", "verdicts"),
    [
        ("lstm", measured(), ("holds", "holds")),
        ("transformer", measured(), ("holds under conditions", "holds")),  # it has no recurrence, and knows order
        ("transformer", measured(noticed=0.1, both=0.0), ("holds", "holds")),
        ("tanh", measured(both=0.2), ("holds", "holds under conditions")),
        ("lstm", measured(both=0.9), ("holds", "does not hold")),
        ("lstm", measured(both=0.0, sentences=0.3), ("holds", "does not hold")),  # as good as a bag of words
        ("lstm", measured(both=0.0, sentences=0.0), ("holds", "not answered")),
        ("lstm", measured(noticed=0.5), ("holds under conditions", "holds")),
        ("bag", measured(largest=0.1, noticed=1.0, both=0.0, sentences=0.3), ("does not hold", "holds")),
        ("bag", measured(largest=1e-6, noticed=0.0, both=0.1, sentences=0.3), ("holds", "does not hold")),
    ],
)
def test_the_verdicts_follow_the_numbers(name: str, changed: Measurement, verdicts: tuple[Verdict, Verdict]) -> None:
    first, second = claims({"bag": [BAG], "lstm": [measured()], name: [changed, changed]})
    assert (first.id, first.verdict, second.id, second.verdict) == ("A1", verdicts[0], "A2", verdicts[1])


def test_without_the_bag_of_words_or_anything_beside_it_no_claim_is_judged() -> None:
    assert claims({"lstm": [measured()]}) == claims({"bag": [BAG]}) == ()


def test_the_experiment_reports_a_row_for_each_model_and_a_measurement_for_each_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(order, "PAIRS", 5)
    outcome = EXPERIMENT(Options(cells=("bag", "gru"), seeds=2, updates=2), said.append)
    assert [row[0] for row in outcome.rows] == ["bag", "gru"]
    assert [len(each) for each in outcome.details.values()] == [2, 2]
    assert len(said) == 4
    assert [claim.id for claim in outcome.claims] == ["A1", "A2"]
    assert outcome.conditions["updates"] == 2


def test_the_figure_has_a_row_for_each_model_in_both_charts() -> None:
    pytest.importorskip("matplotlib")
    for axes in draw({"bag": [BAG, BAG], "lstm": [measured(), measured()]}).axes:
        assert [label.get_text() for label in axes.get_yticklabels()] == ["bag", "lstm"]


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UserError, match="elman"):
        EXPERIMENT.settings(Options(cells=("elman",)))


THE, DOG, CAT, CHASED, BIG = (
    FIRST_TOKEN,
    FIRST_TOKEN + 1,
    FIRST_TOKEN + 2,
    FIRST_TOKEN + 1 + NOUNS,
    FIRST_TOKEN + 1 + NOUNS + VERBS,
)
CLAUSE = Clause(Phrase(0, 0), 0, Phrase(1, None))


def test_a_clause_reads_subject_verb_object_and_is_translated_verb_last() -> None:
    assert CLAUSE.source() == [THE, BIG, DOG, CHASED, THE, CAT]
    assert CLAUSE.target() == [WORDS + word for word in (DOG, BIG, CAT, CHASED)]


def test_a_swapped_clause_has_the_same_words_and_another_translation() -> None:
    for clause, swapped in minimal_pairs(100):
        assert sorted(clause.source()) == sorted(swapped.source())
        assert clause.source() != swapped.source()
        assert clause.target() != swapped.target()
        assert swapped.swapped() == clause


def test_no_pair_of_nouns_of_the_test_stands_in_training_in_either_order() -> None:
    trained, tested = ({frozenset(pair) for pair in pairs.tolist()} for pairs in (TRAINING, TESTING))
    assert not trained & tested
    assert len(tested) == HELD_OUT
    assert len(trained) + len(tested) == NOUNS * (NOUNS - 1) // 2
    assert {frozenset((one.subject.noun, one.object.noun)) for one, _ in minimal_pairs(100)} <= tested


def test_minimal_pairs_are_different_and_the_same_every_time() -> None:
    pairs = minimal_pairs(100)
    assert len({frozenset(pair) for pair in pairs}) == 100
    assert pairs == minimal_pairs(100)


def test_drawn_clauses_use_every_word_of_both_languages_but_an_article_in_the_target() -> None:
    generator = np.random.default_rng(0)
    clauses = [draw_clause(generator, TRAINING) for _ in range(2000)]
    assert {word for clause in clauses for word in clause.source()} == set(range(THE, FIRST_TOKEN + WORDS))
    assert {word for clause in clauses for word in clause.target()} == set(range(FIRST_TOKEN + WORDS + 1, VOCABULARY))
