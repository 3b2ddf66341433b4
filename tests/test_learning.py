"""Each family learns within seconds to reverse strings of digits, exactly and for strings it was not trained on."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest
import torch

from nmt.data.batches import Batches, TokenIds, pad
from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.models.protocol import TranslationModel
from nmt.models.registry import build
from nmt.search import BeamSearch, SearchSettings
from nmt.training.objective import objective
from nmt.training.schedules import learning_rate
from nmt.training.step import TrainingStep, train_on

FIRST, DIGITS = 4, 10
RECURRENT = {
    "family": "recurrent",
    "cell": "gru",
    "embedding": 32,
    "attention_size": 32,
    "bottleneck": None,
    "forget_bias": 1.0,
    "encoder": {"layers": 1, "hidden": 32, "direction": "both", "residual": False},
    "decoder": {"layers": 1, "hidden": 64, "residual": False},
}
TRANSFORMER = {
    "family": "transformer",
    "width": 32,
    "heads": 4,
    "feed_forward": 64,
    "attention_dropout": 0.0,
    "encoder": {"layers": 1},
    "decoder": {"layers": 2},
}


def strings(count: int, longest: int, seed: int) -> list[list[int]]:
    generator = random.Random(seed)
    return [[FIRST + generator.randrange(DIGITS) for _ in range(generator.randint(3, longest))] for _ in range(count)]


def train(model: TranslationModel, sources: list[list[int]], updates: int, peak: float) -> None:
    """Teacher forcing with AdamW and a cosine; one epoch follows the other."""
    batches = Batches(TokenIds(sources), TokenIds([source[::-1] for source in sources]), seed=1, batch_tokens=512)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    count = batches.count(0)
    train_on(
        (batches.batch(0, update % count) for update in range(1, updates + 1)),
        partial(objective, model),
        TrainingStep(optimizer, clip=None),
        partial(learning_rate, "cosine", peak=peak, warmup=50, total=updates),
    )


def share_reversed(model: TranslationModel, sources: list[list[int]]) -> float:
    """The share of strings whose most probable output, token by token, is the reversed string and EOS."""
    search = BeamSearch(SearchSettings(beam=1), bos=BOS, eos=EOS, pad=PAD)
    found = search(model.eval(), *pad([[*source, EOS] for source in sources]))
    return sum(
        best.finished and list(best.tokens) == source[::-1] for (best,), source in zip(found, sources, strict=True)
    ) / len(sources)


@pytest.mark.parametrize(
    ("sizes", "longest", "updates", "peak"),
    [
        pytest.param(
            {**RECURRENT, "attention": "none"}, 4, 500, 1e-2, id="fixed"
        ),  # what 64 numbers hold, learned in as many updates
        pytest.param({**RECURRENT, "attention": "bahdanau"}, 8, 350, 1e-2, id="bahdanau"),
        pytest.param(TRANSFORMER, 8, 600, 5e-3, id="transformer"),
    ],
)
def test_it_learns_to_turn_strings_of_digits_round(
    sizes: dict[str, Any], longest: int, updates: int, peak: float
) -> None:
    """Chance cannot explain it: the shortest string is one of 1000, and none of the tested ones was trained on."""
    torch.manual_seed(1)
    size = FIRST + DIGITS
    model = build({**sizes, "tied": True, "dropout": 0.0}, source=size, target=size, joint=True)
    known, held_out = strings(5000, longest, seed=1), strings(400, longest, seed=2)
    train(model, known, updates, peak)
    assert share_reversed(model, [source for source in held_out if source not in known]) >= 0.95
