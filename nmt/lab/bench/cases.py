"""Benchmark cases: everything that decides the speed of training or decoding, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch

from nmt.atomic import JsonObject
from nmt.data.batches import Batches
from nmt.data.vocabulary import Vocabulary
from nmt.lab.bench import decoding, training
from nmt.lab.bench.machine import in_process
from nmt.models.device import computes_bf16, find_device
from nmt.models.protocol import Sizes, TranslationModel
from nmt.models.registry import build

RECURRENT = {
    "family": "recurrent",
    "cell": "lstm",
    "attention": "bahdanau",
    "thought_vector": "every_step",
    "embedding": 256,
    "attention_size": 512,
    "bottleneck": None,
    "encoder": {"layers": 1, "hidden": 256, "direction": "both", "residual": False},
    "decoder": {"layers": 1, "hidden": 512, "residual": False},
    "forget_bias": 1.0,
    "dropout": 0.2,
    "tied": False,
}
FAMILIES: dict[str, Sizes] = {
    "attention": RECURRENT,
    "thought-vector": {**RECURRENT, "attention": "none"},
    "transformer": {
        "family": "transformer",
        "width": 256,
        "heads": 4,
        "feed_forward": 1024,
        "encoder": {"layers": 3},
        "decoder": {"layers": 3},
        "dropout": 0.2,
        "attention_dropout": 0.0,
        "tied": True,
    },
}
"""The measured models; peers are given the same sizes."""
VOCABULARY_SIZE = 6000
"""Of synthetic sentences."""


@dataclass(frozen=True)
class Corpus:
    """Real text in place of synthetic sentences: batches to train on, sources to translate, and their vocabulary."""

    batches: Batches
    sources: Sequence[Sequence[int]]
    vocabulary: Vocabulary


@dataclass(frozen=True)
class Case:
    """Settings of one measurement."""

    family: str
    work: str
    """``train`` or ``decode``."""
    precision: str = "fp32"
    threads: int = 1
    length: int = 15
    """Tokens of synthetic sentences on both sides, EOS included, and of outputs."""
    source: int | None = None
    """Tokens of synthetic sources to decode; None for the length of the output."""
    batch_tokens: int = 4096
    beam: int = 5
    workers: int = 1
    """Processes of one thread each; decoding by torch only."""
    engine: str = "torch"
    """For decoding: ``torch``, or by CTranslate2 with a translator per thread ``float32`` or ``int8``."""
    device: str = "cpu"
    amount: int = 20
    """Updates to train for, or sentences to decode."""
    corpus: Corpus | None = field(default=None, repr=False, compare=False)

    def measured(self) -> JsonObject:
        """The settings and the results, measured in a process of its own."""
        described = asdict(replace(self, corpus=None))
        described.pop("corpus")
        return described | in_process(_measure, self, threads=self.threads)

    @property
    def vocabulary(self) -> int:
        """Size of the vocabulary of either side."""
        return len(self.corpus.vocabulary) if self.corpus else VOCABULARY_SIZE


def sweep(base: Case, values: Mapping[str, Sequence[Any]]) -> list[Case]:
    """The base case, and variants of it with one field changed to each of its values."""
    cases = [base, *(replace(base, **{name: value}) for name, given in values.items() for value in given)]
    return list(dict.fromkeys(cases))


def _measure(case: Case) -> JsonObject:
    model = build(FAMILIES[case.family], source=case.vocabulary, target=case.vocabulary, joint=True)
    return _train(case, model) if case.work == "train" else _decode(case, model)


def _train(case: Case, model: TranslationModel) -> JsonObject:
    device = find_device(case.device)
    batches = (
        case.corpus.batches if case.corpus else training.of_one_length(case.length, case.vocabulary, case.batch_tokens)
    )
    found = training.measure(model, batches, device=device, precision=case.precision, updates=case.amount)
    return found.as_json()


def _decode(case: Case, model: TranslationModel) -> JsonObject:
    sources = case.corpus.sources[: case.amount] if case.corpus else _sources(case)
    if case.engine == "torch":
        return decoding.force(
            model,
            sources,
            length=case.length,
            beam=case.beam,
            device=find_device(case.device),
            precision=case.precision,
            workers=case.workers,
        ).as_json()
    ids = range(case.vocabulary)
    return decoding.force_exported(
        model,
        case.corpus.vocabulary.pieces(ids) if case.corpus else list(map(str, ids)),
        sources,
        length=case.length,
        beam=case.beam,
        quantization=case.engine,
        workers=case.threads,
    ).as_json()


def _sources(case: Case) -> list[list[int]]:
    generator = np.random.default_rng(0)
    return [
        generator.integers(4, case.vocabulary, (case.source or case.length) - 1).tolist() for _ in range(case.amount)
    ]


def available_precisions(device: str) -> list[str]:
    """fp32, and bf16 where the hardware multiplies in it."""
    return ["fp32", "bf16"] if computes_bf16(torch.device(device)) else ["fp32"]
