"""How fast translations are found. Either as a user meets it, from lines to lines, or with every hypothesis made to run to the same length,
so that models without training do the same work."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch

from nmt.bench import operations
from nmt.bench.machine import product_rate, synchronise
from nmt.bench.operations import Sizes
from nmt.models.protocol import TranslationModel
from nmt.models.transformer import TransformerModel
from nmt.search import BeamSearch
from nmt.text.vocabulary import BOS, EOS, PAD
from nmt.training.batches import pad
from nmt.translator import Translation

SENTENCES = 64
"""In a batch of forced work."""


class Streams(Protocol):
    """Anything that translates lines: a translator, or several workers."""

    def stream(self, lines: Sequence[str]) -> Any: ...


@dataclass(frozen=True)
class Searches:
    """Forced work: positions decoded a second, sentences x length, the beam not counted."""

    sentences: int
    positions_per_second: float
    seconds: float
    operations: int
    """Of the matrix products of a sentence, by formula."""
    share: float | None
    """Of the measured rate of matrix products; None for another engine, whose precision differs."""

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


@torch.inference_mode()
def force(
    model: TranslationModel, sizes: Sizes, vocabulary: int, sources: Sequence[Sequence[int]], *, length: int, beam: int, device: torch.device
) -> Searches:
    """Decodes all sources by torch to exactly ``length`` pieces, a batch of sentences of about the same length at a time."""
    search = BeamSearch(bos=BOS, eos=EOS, pad=PAD, beam=beam, min_length=length - 1, max_ratio=1e-9, max_extra=length)
    batches = [pad([[*source, EOS] for source in batch]) for batch in _batches(sources)]
    model.to(device).eval()
    search(model, *(part[:2].to(device) for part in batches[0]))  # warms up
    begun = time.perf_counter()
    for source, mask in batches:
        search(model, source.to(device), mask.to(device))
    synchronise(device)
    seconds = time.perf_counter() - begun
    done = sum(operations.translation(sizes, vocabulary, len(source) + 1, length, beam) for source in sources)
    rate = product_rate(device, "fp32")
    return Searches(len(sources), len(sources) * length / seconds, seconds, done // len(sources), done / seconds / rate)


def force_exported(
    model: TransformerModel, names: Sequence[str], sources: Sequence[Sequence[int]], *, length: int, beam: int, quantization: str, workers: int
) -> Searches:
    """The same work by CTranslate2, by several translators of one thread each. ``names`` are those of the pieces."""
    import ctranslate2

    from nmt.export import layout

    spec = layout.specification(model, names, names, layout.FEWEST_POSITIONS)
    spec.optimize(quantization)
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        engine = ctranslate2.Translator(folder, compute_type=quantization, inter_threads=workers, intra_threads=1)
    batches = [[[names[id] for id in source] for source in batch] for batch in _batches(sources)]
    forced = {"beam_size": beam, "min_decoding_length": length, "max_decoding_length": length, "length_penalty": 0, "return_scores": True}
    engine.translate_batch(batches[0][:2], **forced)
    begun = time.perf_counter()
    for waiting in [engine.translate_batch(batch, asynchronous=True, **forced) for batch in batches]:
        for each in waiting:
            each.result()
    seconds = time.perf_counter() - begun
    return Searches(len(sources), len(sources) * length / seconds, seconds, 0, None)


@dataclass(frozen=True)
class Lines:
    """Lines translated as a user would have them."""

    lines: int
    seconds: float
    source_pieces: int
    target_pieces: int

    def as_json(self) -> dict[str, Any]:
        """The fields and the rates, ready for JSON."""
        rates = {"lines_per_second": self.lines / self.seconds, "target_pieces_per_second": self.target_pieces / self.seconds}
        return asdict(self) | rates


def translate(translator: Streams, lines: Sequence[str]) -> Lines:
    """Times the translation of lines, after a few that are not counted."""
    list(translator.stream(lines[:4]))
    begun = time.perf_counter()
    found: list[Translation] = list(translator.stream(lines))
    seconds = time.perf_counter() - begun
    return Lines(len(lines), seconds, sum(len(each.source_pieces) for each in found), sum(len(each.pieces) for each in found))


def _batches(sources: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    ordered = sorted(sources, key=len, reverse=True)
    return [list(ordered[start : start + SENTENCES]) for start in range(0, len(ordered), SENTENCES)]
