from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.models.protocol import TranslationModel
from nmt.models.registry import build, operations
from nmt.recipe.types import Recurrent, Transformer
from nmt.search import BeamSearch, SearchSettings

pytestmark = pytest.mark.filterwarnings(
    "ignore:TF32 acceleration"
)  # torch says so whenever its kernels are switched off
VOCABULARY, BATCH, SOURCE, TARGET = 50, 3, 7, 5
RECURRENT = {"embedding": 6, "attention_size": 10, "encoder": {"hidden": 4}, "decoder": {"hidden": 12}}
TRANSFORMER = {"family": "transformer", "width": 8, "heads": 2, "feed_forward": 12}
MODELS = {
    "attention": RECURRENT,
    "gru, two layers": {
        **RECURRENT,
        "cell": "gru",
        "encoder": {"hidden": 4, "layers": 2},
        "decoder": {"hidden": 12, "layers": 2},
    },
    "dot": {**RECURRENT, "attention": "dot", "decoder": {"hidden": 8}},
    "more pieces than units in a slot": {**RECURRENT, "encoder": {"hidden": 3}},
    "thought vector": {**RECURRENT, "attention": "none"},
    "small thought vector": {**RECURRENT, "attention": "none", "bottleneck": 5},
    "initial state alone": {**RECURRENT, "attention": "none", "thought_vector": "initial_state"},
    "forward": {**RECURRENT, "encoder": {"hidden": 4, "direction": "forward"}},
    "bag of words": {**RECURRENT, "encoder": {"hidden": 4, "direction": "none"}},
    "transformer": TRANSFORMER,
    "uneven transformer": {**TRANSFORMER, "encoder": {"layers": 1}, "decoder": {"layers": 2}},
}


def sizes_of(model: dict[str, Any]) -> dict[str, Any]:
    section = Transformer if model.get("family") == "transformer" else Recurrent
    return section.model_validate({"dropout": 0.0, **model}).model_dump()


def counted(work: Callable[[], object]) -> int:
    """By torch's counter; fused LSTM kernels, which it does not see into, are switched off."""
    with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def unrolled(model: TranslationModel, target: torch.Tensor, memory: Any) -> None:
    TranslationModel.decode(model, target, memory)


@pytest.mark.parametrize("name", MODELS)
def test_the_formula_is_what_torch_counts_step_by_step(name: str) -> None:
    sizes = sizes_of(MODELS[name])
    model = build(sizes, source=VOCABULARY, target=VOCABULARY, joint=True)
    source, target = torch.randint(4, VOCABULARY, (BATCH, SOURCE)), torch.randint(4, VOCABULARY, (BATCH, TARGET))
    memory = model.encode(source, torch.ones_like(source, dtype=torch.bool))
    mask = torch.ones_like(source, dtype=torch.bool)
    assert counted(lambda: model.encode(source, mask)) == BATCH * operations(sizes, VOCABULARY).encoding(SOURCE)
    expected = BATCH * operations(sizes, VOCABULARY).decoding(SOURCE, TARGET, stepwise=True)
    assert counted(lambda: unrolled(model, target, memory)) == expected


@pytest.mark.parametrize("name", ["thought vector", "small thought vector", "initial state alone", "transformer"])
def test_the_formula_is_what_torch_counts_of_a_whole_target(name: str) -> None:
    sizes = sizes_of(MODELS[name])
    model = build(sizes, source=VOCABULARY, target=VOCABULARY, joint=True)
    source, target = torch.randint(4, VOCABULARY, (BATCH, SOURCE)), torch.randint(4, VOCABULARY, (BATCH, TARGET))
    memory = model.encode(source, torch.ones_like(source, dtype=torch.bool))
    assert counted(lambda: model.decode(target, memory)) == BATCH * operations(sizes, VOCABULARY).decoding(
        SOURCE, TARGET
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_formula_is_what_torch_counts_in_a_search(name: str) -> None:
    sizes = sizes_of(MODELS[name])
    model = (
        build(sizes, source=VOCABULARY, target=VOCABULARY, joint=True).eval().for_inference(torch.device("cpu"), "fp32")
    )
    greedy = BeamSearch(
        SearchSettings(beam=1, min_length=TARGET - 1, max_ratio=1e-9, max_extra=TARGET), bos=BOS, eos=EOS, pad=PAD
    )
    source = torch.randint(4, VOCABULARY, (BATCH, SOURCE))
    found = counted(lambda: greedy(model, source, torch.ones_like(source, dtype=torch.bool)))
    assert found == BATCH * operations(sizes, VOCABULARY).search(SOURCE, TARGET, 1)


def test_the_formula_is_what_torch_counts_forward_and_backward() -> None:
    sizes = sizes_of(TRANSFORMER)
    model = build(sizes, source=VOCABULARY, target=VOCABULARY, joint=True)
    source, target = torch.randint(4, VOCABULARY, (BATCH, SOURCE)), torch.randint(4, VOCABULARY, (BATCH, TARGET))
    found = counted(lambda: model(source, torch.ones_like(source, dtype=torch.bool), target).sum().backward())
    assert found == BATCH * operations(sizes, VOCABULARY).update(SOURCE, TARGET)
