"""The few lines that experiments train with: the very models that translate, made small, on batches drawn as they are needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from nmt.data.batches import Batch
from nmt.models.protocol import TranslationModel
from nmt.models.registry import build
from nmt.training.objective import cross_entropy
from nmt.training.schedules import learning_rate

FIRST = 4
"""The first token id that is free: below it stand pad, unknown, begin and end."""

DrawBatch = Callable[[np.random.Generator], Batch]


def recurrent(
    vocabulary: int,
    *,
    cell: str = "lstm",
    attention: str = "none",
    hidden: int = 64,
    embedding: int = 32,
    direction: str = "forward",
    forget_bias: float = 1.0,
    layers: int = 1,
    **changes: Any,
) -> TranslationModel:
    """A small recurrent encoder-decoder over one vocabulary; encoder and decoder have the same layers and hidden units."""
    stack = {"layers": layers, "hidden": hidden, "residual": False}
    sizes: dict[str, Any] = {
        "cell": cell,
        "attention": attention,
        "embedding": embedding,
        "attention_size": hidden,
        "bottleneck": None,
        "encoder": {**stack, "direction": direction},
        "decoder": stack,
        "forget_bias": forget_bias,
        "dropout": 0.0,
        "tied": False,
    }
    return build("recurrent", source=vocabulary, target=vocabulary, joint=True, **{**sizes, **changes})


def transformer(vocabulary: int, *, width: int = 64, layers: int = 2, **changes: Any) -> TranslationModel:
    """A small Transformer over one vocabulary."""
    sizes: dict[str, Any] = {
        "width": width,
        "heads": 4,
        "feed_forward": 4 * width,
        "encoder": {"layers": layers},
        "decoder": {"layers": layers},
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "tied": False,
    }
    return build("transformer", source=vocabulary, target=vocabulary, joint=True, **{**sizes, **changes})


def learn(
    model: TranslationModel,
    draw: DrawBatch,
    *,
    updates: int,
    seed: int,
    peak: float = 3e-3,
    clip: float | None = 1.0,
    schedule: str = "cosine",
    each: Callable[[int, float, float], bool] | None = None,
) -> None:
    """Trains by teacher forcing on fresh batches; ``each`` hears update, loss in nats a piece and gradient norm, and ends training by True.

    The batches are a function of the seed alone, so all models of a seed see the same ones.
    """
    generator = np.random.default_rng([seed, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)
    model.train()
    for update in range(1, updates + 1):
        batch = draw(generator)
        loss = cross_entropy(
            model(batch.source, batch.source_mask, batch.previous), batch.expected, batch.target_mask, 0.0
        )
        (loss.loss / loss.tokens).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(model.parameters(), clip or math.inf).item()
        optimizer.param_groups[0]["lr"] = learning_rate(
            schedule, update, peak=peak, warmup=updates // 20, total=updates
        )
        optimizer.step()
        optimizer.zero_grad()
        if each and each(update, loss.nll.item() / loss.tokens, norm):
            break
    model.eval()


@torch.no_grad()
def exact(model: TranslationModel, batch: Batch) -> np.ndarray:
    """Which examples of a batch have every target piece ranked first, under teacher forcing: ``(batch,)`` of bool.

    Greedy decoding finds the very target if and only if this is so.
    """
    found = model(batch.source, batch.source_mask, batch.previous).argmax(-1)
    right: np.ndarray = ((found == batch.expected) | ~batch.target_mask).all(1).numpy()
    return right
