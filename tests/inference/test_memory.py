"""What the recipe of a stranger allows is bounded by the product of its values."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.errors import UserError
from nmt.inference.memory import SHORTEST_LIMIT, SearchMemory
from nmt.models.protocol import size_in_bytes
from nmt.models.registry import build, family_class
from nmt.search import BeamSearch, SearchSettings
from tests.test_contract import CASES, CPU

VOCABULARY = 17


def nothing(source: int, target: int, beam: int) -> int:
    return 0


def quadratic(source: int, target: int, beam: int) -> int:
    return 4 * source**2


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("source", "beam"), [(3, 1), (40, 7)])
def test_the_estimate_of_a_family_is_not_below_what_memory_and_state_take(case: str, source: int, beam: int) -> None:
    sizes = dict(CASES[case])
    model = build(sizes, source=sizes.pop("source"), target=sizes.pop("target"), joint=sizes.pop("joint"))
    frozen, largest = model.eval().for_inference(CPU, "fp32"), [0]

    class Watched:
        def encode(self, tokens: torch.Tensor, mask: torch.Tensor) -> Any:
            return frozen.encode(tokens, mask)

        def initial_state(self, memory: Any) -> Any:
            return frozen.initial_state(memory)

        def step(self, previous: torch.Tensor, state: Any, memory: Any) -> Any:
            found = frozen.step(previous, state, memory)
            found.logits[:, EOS] = -1e9  # every hypothesis becomes as long as it may
            held = size_in_bytes(tuple(memory)) + size_in_bytes(state) + size_in_bytes(found.state)
            largest[0] = max(largest[0], held)
            return found

    settings = SearchSettings(beam=beam, max_ratio=3.0, max_extra=10)
    tokens = torch.randint(EOS + 1, 15, (1, source))
    BeamSearch(settings, bos=BOS, eos=EOS, pad=PAD)(Watched(), tokens, torch.ones_like(tokens, dtype=torch.bool))
    estimate = family_class(CASES[case]["family"]).search_bytes(CASES[case], source, settings.longest(source), beam)
    assert 0 < largest[0] <= estimate <= 100 * largest[0]


def test_back_pointers_logits_and_weights_count() -> None:
    memory = SearchMemory(nothing, VOCABULARY, 1 << 30)
    plain, kept = (SearchSettings(beam=10, max_ratio=1, max_extra=0, keep_weights=each) for each in (False, True))
    assert memory.sentence(100, plain) == 100 * 10 * 60 + 3 * 10 * VOCABULARY * 4
    assert memory.sentence(100, kept) == memory.sentence(100, plain) + 100 * 100 * 4 * (10 + 8)


def test_a_sentence_is_translated_whole_as_far_as_training_and_memory_reach() -> None:
    memory = SearchMemory(quadratic, VOCABULARY, 5 << 20)
    for trained in (1, SHORTEST_LIMIT, 100, 1 << 20):
        longest = memory.longest_source(trained, SearchSettings(beam=1))
        assert longest == max(SHORTEST_LIMIT, min(trained, longest))
        assert memory.sentence(longest + 1, SearchSettings(beam=1)) <= 5 << 20
    assert memory.sentence(longest + 2, SearchSettings(beam=1)) > 5 << 20


def test_a_batch_has_as_many_sentences_as_memory_holds_and_at_least_one() -> None:
    memory, search = SearchMemory(quadratic, VOCABULARY, 1 << 20), SearchSettings(beam=1)
    for source in (1, 10, 100, 1000):
        rows = memory.rows(source, search)
        assert rows == 1 or rows * memory.sentence(source, search) <= 1 << 20 < (rows + 1) * memory.sentence(
            source, search
        )
    assert memory.rows(1000, search) == 1


def test_a_beam_that_takes_too_much_for_a_short_sentence_is_refused_with_a_way_out() -> None:
    memory = SearchMemory(nothing, VOCABULARY, 256 << 20)
    memory.check(SearchSettings(beam=1000, max_ratio=2, max_extra=20))
    with pytest.raises(
        UserError, match=r"a beam of 1000 with outputs of up to 13,300 tokens takes .*\nchoose a smaller beam"
    ):
        memory.check(SearchSettings(beam=1000, max_ratio=100, max_extra=10_000))


def test_the_longest_target_is_that_of_the_search() -> None:
    for settings in (
        SearchSettings(max_ratio=1.7, max_extra=3),
        SearchSettings(min_length=30),
        SearchSettings(max_tokens=9),
        SearchSettings(min_length=30, max_tokens=31),
    ):
        search = BeamSearch(settings, bos=BOS, eos=EOS, pad=PAD)
        lengths = list(range(1, 60))
        assert search.longest(torch.tensor(lengths)).tolist() == [settings.longest(length) for length in lengths]
