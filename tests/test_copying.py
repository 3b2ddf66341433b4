"""A small model learns within seconds to copy stand-ins, and addresses that it never saw come through it."""

from __future__ import annotations

import random
from functools import partial

import torch

from nmt.data.batches import Batches, TokenIds
from nmt.data.vocabulary import Vocabulary, train
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.protect.protection import Protection
from nmt.inference.translator import TorchTranslator
from nmt.models.registry import build
from nmt.search import SearchSettings
from nmt.text.stand_ins import training_pair
from nmt.training.objective import objective
from nmt.training.schedules import learning_rate
from nmt.training.step import TrainingStep, train_on

WORDS = {"rot": "red", "Hund": "dog", "Katze": "cat", "klein": "small", "Haus": "house", "Baum": "tree"}
SIZES = {
    "family": "recurrent",
    "cell": "gru",
    "attention": "bahdanau",
    "embedding": 32,
    "attention_size": 32,
    "bottleneck": None,
    "forget_bias": 1.0,
    "encoder": {"layers": 1, "hidden": 32, "direction": "both", "residual": False},
    "decoder": {"layers": 1, "hidden": 64, "residual": False},
    "tied": True,
    "dropout": 0.0,
}


def sentences(count: int, seed: int, address: str) -> list[tuple[str, str]]:
    """Words, with an address among them, and their translations in reverse order."""
    generator = random.Random(seed)
    found = []
    for number in range(count):
        words = generator.choices(list(WORDS), k=generator.randint(2, 4))
        words.insert(generator.randrange(len(words) + 1), address.format(number))
        found.append((" ".join(words), " ".join(WORDS.get(word, word) for word in reversed(words))))
    return found


def test_it_learns_to_copy_stand_ins_at_their_places() -> None:
    """Chance cannot explain it: an address alone has a dozen characters that training does not have."""
    pairs = [training_pair(*pair) for pair in sentences(1500, seed=1, address="www.x{}.org")]
    vocabulary = Vocabulary(
        train([side for pair in pairs for side in pair], type="unigram", size=310, exact=False, stand_ins=True)
    )
    torch.manual_seed(1)
    model = build(SIZES, source=len(vocabulary), target=len(vocabulary), joint=True)
    source, target = (TokenIds([vocabulary.encode(pair[side]) for pair in pairs]) for side in (0, 1))
    batches = Batches(source, target, seed=1, batch_tokens=512)
    count = batches.count(0)
    train_on(
        (batches.batch(update // count, update % count) for update in range(400)),
        partial(objective, model),
        TrainingStep(torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.0), clip=None),
        partial(learning_rate, "cosine", peak=1e-2, warmup=50, total=400),
    )
    translator = TorchTranslator(
        model.eval().for_inference(torch.device("cpu"), "fp32"),
        vocabulary,
        vocabulary,
        SearchSettings(beam=1),
        TrainingStatistics(20, None, None),
        protect=Protection("en", stand_ins=True).translate,
    )
    unseen = sentences(100, seed=2, address="https://zürich.example/{}?q=é")
    found = translator.translate([line for line, _ in unseen])
    good = [
        each.text == wanted and not any(warning.startswith("stand-in") for warning in each.warnings)
        for each, (_, wanted) in zip(found, unseen, strict=True)
    ]
    assert sum(good) >= 95
