from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from nmt.models.protocol import Step, repeat
from nmt.search import (
    TOGETHER,
    BackPointers,
    BeamSearch,
    Candidates,
    Hypothesis,
    SearchCancelledError,
    SearchSettings,
    StepStore,
    _top,
    length_penalty,
)

PAD, A, BOS, EOS, B, C = range(6)
SIZE = 6
LONGEST = 4


class Reading(NamedTuple):
    sentence: Tensor
    mask: Tensor


class Tables:
    """A fake model whose logits are looked up by sentence (its first token id) and target prefix, so that every prefix
    has its own.

    Its first weight is the token just read. State carries the sentence too: a row of memory that serves another
    sentence's state is caught.
    """

    def __init__(self, tables: Tensor) -> None:
        self.tables = tables

    def encode(self, source: Tensor, mask: Tensor) -> Reading:
        return Reading(source[:, 0], mask)

    def initial_state(self, memory: Reading) -> tuple[Tensor, Tensor]:
        return memory.sentence, torch.zeros_like(memory.sentence)

    def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
        memory = repeat(memory, len(previous) // len(memory.sentence))
        assert torch.equal(state[0], memory.sentence)
        prefix = state[1] * SIZE + previous
        weights = torch.cat([previous[:, None], memory.mask[:, 1:]], 1).float()
        return Step(self.tables[state[0], prefix], (state[0], prefix), weights)


def number(prefix: tuple[int, ...]) -> int:
    return sum(token * SIZE**power for power, token in enumerate(reversed((BOS, *prefix))))


def random_tables(sentences: int = 20) -> Tables:
    return Tables(torch.randn(sentences, SIZE ** (LONGEST + 1), SIZE, generator=torch.Generator().manual_seed(0)) * 2)


def script(probabilities: dict[tuple[int, ...], dict[int, float]]) -> Tables:
    """One sentence, whose prefixes continue with the given probabilities; the others evenly."""
    tables = torch.zeros(1, SIZE ** (LONGEST + 1), SIZE)
    for prefix, following in probabilities.items():
        tables[0, number(prefix)] = -math.inf
        for token, probability in following.items():
            tables[0, number(prefix), token] = math.log(probability)
    return Tables(tables)


def search(
    model: Tables, sentences: list[int], lengths: list[int] | None = None, **settings: Any
) -> list[list[Hypothesis]]:
    lengths = lengths or [2] * len(sentences)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    source = torch.tensor(sentences)[:, None].expand_as(mask)
    settings = {"max_ratio": 1.0, "max_extra": LONGEST - 2, **settings}
    return BeamSearch(SearchSettings(**settings), bos=BOS, eos=EOS, pad=PAD)(model, source, mask)


def every_string(model: Tables, sentence: int, alpha: float) -> list[tuple[float, tuple[int, ...]]]:
    """Scores of all strings that end within the longest length, best first."""
    scored = []
    for length in range(LONGEST):
        for string in itertools.product((A, B, C), repeat=length):
            tokens = (*string, EOS)
            steps = [
                model.tables[sentence, number(tokens[:at])].log_softmax(0)[token] for at, token in enumerate(tokens)
            ]
            scored.append((float(sum(steps)) / length_penalty(len(tokens), alpha), string))
    return sorted(scored, reverse=True)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
@pytest.mark.parametrize("nbest", [1, 8])
def test_a_wide_beam_finds_what_scoring_all_strings_finds(alpha: float, nbest: int) -> None:
    """There are 40 strings and 20 sentences with tables of their own, so luck cannot find even the best of each."""
    model = random_tables()
    found = search(model, list(range(20)), beam=40, nbest=nbest, length_penalty=alpha)
    for sentence, hypotheses in enumerate(found):
        expected = every_string(model, sentence, alpha)[:nbest]
        assert [each.tokens for each in hypotheses] == [tokens for _, tokens in expected]
        assert [each.score for each in hypotheses] == pytest.approx(
            [score for score, _ in expected], abs=1e-5
        )  # sums of 4 float32


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_a_beam_of_one_follows_the_most_probable_token(alpha: float) -> None:
    model = random_tables()
    for sentence, (hypothesis,) in enumerate(search(model, list(range(20)), beam=1, length_penalty=alpha)):
        tokens: tuple[int, ...] = ()
        while len(tokens) < LONGEST and EOS not in tokens:
            logits = model.tables[sentence, number(tokens)].clone()
            logits[[PAD, BOS]] = -math.inf
            tokens = (*tokens, int(logits.argmax()))
        assert hypothesis.finished == (EOS in tokens)
        assert hypothesis.tokens == tuple(token for token in tokens if token != EOS)


@pytest.mark.parametrize("beam", [1, 3])
def test_a_sentence_does_not_depend_on_the_rest_of_the_batch(beam: int) -> None:
    model = random_tables()
    lengths = [1 + sentence % 3 for sentence in range(20)]
    together = search(model, list(range(20)), lengths, beam=beam, nbest=beam)
    alone = [search(model, [sentence], [length], beam=beam, nbest=beam)[0] for sentence, length in enumerate(lengths)]
    assert together == alone
    assert len({len(hypotheses[0].tokens) for hypotheses in together}) > 1


def test_ended_hypotheses_leave_room_for_live_ones() -> None:
    """After two tokens the best two candidates both end; what wins with this penalty is the third one's
    continuation."""
    model = script(
        {(): {A: 0.5, B: 0.4, C: 0.1}, (A,): {EOS: 0.6, A: 0.4}, (B,): {EOS: 0.6, B: 0.4}, (A, A): {EOS: 1.0}}
    )
    (hypotheses,) = search(model, [0], beam=2, nbest=2, length_penalty=3.0)
    assert [each.tokens for each in hypotheses] == [(A, A), (A,)]


def test_hypotheses_are_distinct_and_sorted_and_their_parts_add_up() -> None:
    for hypotheses in search(random_tables(), list(range(20)), beam=5, nbest=5):
        assert len({each.tokens for each in hypotheses}) == len(hypotheses) > 1
        assert [each.score for each in hypotheses] == sorted((each.score for each in hypotheses), reverse=True)
        for each in hypotheses:
            assert len(each.token_scores) == len(each.tokens) + 1
            assert each.log_probability == pytest.approx(sum(each.token_scores))
            assert each.score == pytest.approx(each.log_probability / length_penalty(len(each.token_scores), 0.6))


@pytest.mark.parametrize("beam", [1, 4])
def test_no_hypothesis_is_shorter_than_allowed(beam: int) -> None:
    found = search(random_tables(), list(range(20)), beam=beam, min_length=2)
    assert {len(hypothesis.tokens) for (hypothesis,) in found} <= {2, 3, 4}


@pytest.mark.parametrize("beam", [1, 4])
def test_a_hypothesis_that_never_ends_is_cut_by_the_length_of_its_source(beam: int) -> None:
    model = Tables(torch.zeros(2, SIZE ** (LONGEST + 1), SIZE))
    model.tables[..., EOS] = -math.inf
    found = search(model, [0, 1], [1, 3], beam=beam, max_ratio=1.0, max_extra=1)
    assert [(len(best.tokens), best.finished) for (best, *_) in found] == [(2, False), (4, False)]


def test_what_is_cut_gives_way_to_anything_that_ended() -> None:
    model = script({(): {A: 0.999, EOS: 0.001}, (A,): {A: 1.0}, (A, A): {A: 1.0}, (A, A, A): {A: 1.0}})
    (hypotheses,) = search(model, [0], beam=2, nbest=2)
    assert [(each.tokens, each.finished) for each in hypotheses] == [((), True)]


def test_padding_and_the_beginning_are_never_produced_and_logits_stay_as_they_were() -> None:
    model = random_tables()
    model.tables[..., [PAD, BOS]] = 9.0
    before = model.tables.clone()
    found = search(model, list(range(20)), beam=3, nbest=3)
    assert not {PAD, BOS} & {token for hypotheses in found for each in hypotheses for token in each.tokens}
    assert torch.equal(model.tables, before)


def test_weights_stand_beside_their_tokens_and_only_for_real_slots() -> None:
    found = search(
        random_tables(),
        list(range(20)),
        [1 + sentence % 2 for sentence in range(20)],
        beam=3,
        nbest=3,
        keep_weights=True,
    )
    for sentence, hypotheses in enumerate(found):
        for each in hypotheses:
            assert each.weights is not None
            assert each.weights.shape == (len(each.token_scores), 1 + sentence % 2)
            assert each.weights[:, 0].tolist() == [BOS, *each.tokens][: len(each.token_scores)]


def test_a_batch_of_nothing_gives_nothing() -> None:
    assert (
        BeamSearch(SearchSettings(), bos=BOS, eos=EOS, pad=PAD)(
            random_tables(), torch.zeros(0, 2, dtype=torch.long), torch.zeros(0, 2, dtype=torch.bool)
        )
        == []
    )


def test_scores_that_are_not_numbers_are_an_error() -> None:
    with pytest.raises(FloatingPointError, match="finite"):
        search(Tables(torch.full((1, SIZE ** (LONGEST + 1), SIZE), math.nan)), [0], beam=2)


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("steps", [0, 2])
def test_a_cancelled_search_makes_no_further_step(beam: int, steps: int) -> None:
    class Counted(Tables):
        made = 0

        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            self.made += 1
            return super().step(previous, state, memory)

    model = Counted(torch.zeros(1, SIZE ** (LONGEST + 1), SIZE))
    model.tables[..., EOS] = -math.inf
    ids = torch.zeros(1, 2, dtype=torch.long)
    searching = BeamSearch(SearchSettings(beam=beam), bos=BOS, eos=EOS, pad=PAD)
    with pytest.raises(SearchCancelledError):
        searching(model, ids, ids == 0, cancelled=lambda: model.made == steps)
    assert model.made == steps


@pytest.mark.parametrize("beam", [1, 3])
def test_no_target_is_longer_than_max_tokens(beam: int) -> None:
    """Though the source would allow more; and where it allows fewer, that still holds."""
    model, sentences = random_tables(), list(range(20))
    for most, longest in ((1, 1), (2, 2), (LONGEST + 9, LONGEST)):
        found = [hypotheses[0] for hypotheses in search(model, sentences, beam=beam, max_tokens=most)]
        assert max(len(each.token_scores) for each in found) == longest


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam": 0}, "beam: expected an integer from 1 to 1000, found 0"),
        ({"beam": 10**20}, "beam: expected an integer from 1 to 1000, found 1000"),
        ({"beam": 2, "nbest": 3}, "nbest: expected between 1 and the beam, which is 2, found 3"),
        ({"length_penalty": -0.1}, "length_penalty: .* found -0.1"),
        ({"min_length": -1}, "min_length"),
        ({"max_ratio": 0.0}, "max_ratio"),
        ({"max_extra": -1}, "max_extra"),
        ({"max_tokens": 2, "min_length": 2}, "max_tokens"),
    ],
)
def test_settings_are_checked_in_words(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SearchSettings(**settings)


def test_the_length_penalty_is_that_of_the_paper() -> None:
    assert length_penalty(7, 0.0) == 1
    assert length_penalty(7, 0.5) == pytest.approx(math.sqrt(2))
    assert length_penalty(torch.tensor([1, 7]), 0.5).tolist() == pytest.approx([1, math.sqrt(2)])


@pytest.mark.parametrize("beam", [1, 3])
def test_the_beams_of_a_sentence_share_one_row_of_memory(beam: int) -> None:
    """The first step has one row of state per sentence, whatever the beam."""
    rows: list[tuple[int, int]] = []

    class Watched(Tables):
        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            rows.append((len(previous), len(memory.sentence)))
            return super().step(previous, state, memory)

    search(Watched(random_tables().tables), list(range(20)), beam=beam)
    assert rows[0] == (20, 20)
    assert all(states == beam * memories for states, memories in rows[1:])


@pytest.mark.parametrize("size", [65, 6000, 6011])
@pytest.mark.parametrize("count", [1, 2, 10])
def test_the_best_are_those_that_sorting_finds(size: int, count: int) -> None:
    values = torch.randn(7, size, generator=torch.Generator().manual_seed(size))
    values[2] = values[2].sort().values  # the best stand together, in the last block
    values[3, 5:] = -math.inf
    best, places = _top(values, count)
    assert torch.equal(best, values.sort(descending=True).values[:, :count])
    assert torch.equal(values.gather(1, places), best)


def test_steps_are_kept_as_they_are_and_in_few_blocks() -> None:
    """The small tensors of every step would otherwise keep the blocks that a growing state outgrows from being used."""

    def step(sentences: int, beams: int) -> BackPointers:
        parts = [torch.randint(9, (sentences, 4)) for _ in Candidates._fields]
        chosen, live = torch.randint(4, (sentences, 2)), torch.rand(sentences, 2)
        return BackPointers(torch.arange(5), Candidates(*parts), chosen, live, torch.rand(sentences, beams, 3))

    store = StepStore()
    given = [step(5, 1), *(step(5 - number // 40, 2) for number in range(3 * TOGETHER))]
    for each in given:
        assert_equal(store.keep(each), each)
    for kept, each in zip(store.steps, given, strict=True):
        assert_equal(kept, each)
    assert len({each.chosen.untyped_storage().data_ptr() for each in store.steps}) <= 5
    assert len({each.weights.untyped_storage().data_ptr() for each in store.steps if each.weights is not None}) <= 5


def assert_equal(kept: BackPointers, given: BackPointers) -> None:
    assert all(map(torch.equal, kept.candidates, given.candidates))
    assert kept.weights is not None
    assert given.weights is not None
    others = (
        (kept.row, given.row),
        (kept.chosen, given.chosen),
        (kept.live, given.live),
        (kept.weights, given.weights),
    )
    assert all(torch.equal(one, other) for one, other in others)
