from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.lab.bench import operations
from nmt.models.protocol import TranslationModel
from nmt.models.registry import build
from nmt.recipe.types import Recurrent, Transformer
from nmt.search import BeamSearch, SearchSettings

CPU = torch.device("cpu")
VOCABULARY, SOURCE, TARGET = 50, 7, 5
WIDTH, INNER, EMBEDDING, HIDDEN, SLOT = 8, 12, 6, 12, 8
TRANSFORMER = Transformer(width=WIDTH, heads=2, feed_forward=INNER, dropout=0.0)
RECURRENT = Recurrent.model_validate(
    {
        "embedding": EMBEDDING,
        "attention_size": 10,
        "encoder": {"hidden": SLOT // 2},
        "decoder": {"hidden": HIDDEN},
        "dropout": 0.0,
    }
)
MODELS = {
    "attention": RECURRENT,
    "gru": RECURRENT.model_copy(update={"cell": "gru"}),
    "dot": RECURRENT.model_copy(
        update={"attention": "dot", "decoder": RECURRENT.decoder.model_copy(update={"hidden": 8})}
    ),
    "thought vector": RECURRENT.model_copy(update={"attention": "none"}),
    "transformer": TRANSFORMER,
}


def model_of(name: str) -> TranslationModel:
    return build(MODELS[name].model_dump(), source=VOCABULARY, target=VOCABULARY, joint=True)


def forced(beam: int) -> BeamSearch:
    settings = SearchSettings(beam=beam, min_length=TARGET - 1, max_ratio=1e-9, max_extra=TARGET)
    return BeamSearch(settings, bos=BOS, eos=EOS, pad=PAD)


def test_a_fused_lstm_is_counted_by_its_equations() -> None:
    """Four gates, each with a matrix for the input and one for the state, at every position of both directions."""
    lstm = nn.LSTM(6, 4, bidirectional=True)
    assert operations.count(lambda: lstm(torch.randn(SOURCE, 1, 6))) == 2 * SOURCE * 2 * 4 * 4 * (6 + 4)


def encoding() -> int:
    """Of a Transformer of three layers: projections, feed-forward, attention, keys and values of the decoder."""
    layer = SOURCE * (4 * WIDTH * WIDTH + 2 * WIDTH * INNER) + 2 * SOURCE * SOURCE * WIDTH
    return 2 * (3 * layer + 3 * SOURCE * 2 * WIDTH * WIDTH)


def decoding(compared: int) -> int:
    """Of a Transformer of three layers: besides, the logits; ``compared`` are pairs of positions of the target."""
    layer = TARGET * (6 * WIDTH * WIDTH + 2 * WIDTH * INNER) + 2 * WIDTH * (compared + TARGET * SOURCE)
    return 2 * (3 * layer + TARGET * WIDTH * VOCABULARY)


def test_an_update_takes_three_times_the_products_of_the_forward_pass() -> None:
    """Backward, a product for the gradient of either factor; padding in the target is computed, too."""
    model = model_of("transformer")
    expected = 3 * (encoding() + decoding(TARGET * TARGET))
    assert operations.of_update(model, SOURCE, TARGET, CPU) == expected
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_greedy_search_compares_a_position_with_those_before_it_only() -> None:
    frozen = model_of("transformer").eval().for_inference(CPU, "fp32")
    expected = encoding() + decoding(TARGET * (TARGET + 1) // 2)
    assert operations.of_search(frozen, forced(1), SOURCE, CPU) == expected


@pytest.mark.parametrize("name", MODELS)
def test_a_wider_beam_multiplies_all_but_the_encoder_and_the_first_position(name: str) -> None:
    frozen = model_of(name).eval().for_inference(CPU, "fp32")
    one, two, three = (operations.of_search(frozen, forced(beam), SOURCE, CPU) for beam in (1, 2, 3))
    assert one < two < three
    assert three - two == two - one
