"""Translators with fresh weights over a vocabulary of letters: what is measured must hold for any weights."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nmt.data.vocabulary import Vocabulary, train
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import TorchTranslator
from nmt.models.protocol import DecodingProtocol
from nmt.models.registry import build
from nmt.search import SearchSettings

STACK = {"layers": 1, "residual": False}
RECURRENT = {
    "family": "recurrent",
    "cell": "lstm",
    "attention": "bahdanau",
    "embedding": 6,
    "attention_size": 5,
    "bottleneck": None,
    "forget_bias": 1.0,
}
HALVES = {"encoder": {**STACK, "hidden": 4, "direction": "both"}, "decoder": {**STACK, "hidden": 8}}
TRANSFORMER = {
    "family": "transformer",
    "width": 8,
    "heads": 2,
    "feed_forward": 12,
    "encoder": {"layers": 1},
    "decoder": {"layers": 1},
}

Fresh = Callable[..., TorchTranslator]


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(train([" ".join(string.ascii_letters)], type="unigram", size=313))


@pytest.fixture
def fresh(vocabulary: Vocabulary) -> Fresh:
    """`fresh(attention="none")`: a translator with a recurrent model; `fresh(family="transformer")`: with a
    Transformer; `fresh(fake)`: with a fake."""

    def make(model: DecodingProtocol | None = None, **changes: Any) -> TorchTranslator:
        longest, batch_tokens = changes.pop("longest", 40), changes.pop("batch_tokens", 4096)
        interpreted = None
        if model is None:
            torch.manual_seed(0)
            base = (
                {**TRANSFORMER, "attention_dropout": 0.0}
                if changes.get("family") == "transformer"
                else {**RECURRENT, **HALVES}
            )
            sizes, size = {**base, "dropout": 0.0, "tied": True, **changes}, len(vocabulary)
            interpreted = build(sizes, source=size, target=size, joint=True).eval()
            model = interpreted.for_inference(torch.device("cpu"), "fp32")
        search = SearchSettings(beam=2, max_ratio=1.0, max_extra=2, keep_weights=True)
        trained = TrainingStatistics(longest)
        return TorchTranslator(
            model, vocabulary, vocabulary, search, trained, batch_tokens=batch_tokens, interpreted=interpreted
        )

    return make
