"""How fast translations are found. Either as a user meets it, from lines to lines, or with every hypothesis made to run to the same length,
so that models without training do the same work."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import zip_longest
from threading import Barrier
from typing import Any, NamedTuple, Protocol

import torch

from nmt.data.batches import pad
from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.inference.parallel import end_with_parent, processes
from nmt.inference.translator import Translation
from nmt.lab.bench.machine import product_rate, synchronise
from nmt.models.protocol import Sizes, TranslationModel, load_name
from nmt.models.registry import operations
from nmt.search import BeamSearch, SearchSettings

SENTENCES = 64
"""In a batch of forced work."""
LONGEST_START = 300
"""Seconds that a worker waits for the others to be ready."""


class Streams(Protocol):
    """Anything that translates lines: a translator, or several workers."""

    def stream(self, lines: Sequence[str]) -> Any: ...


class _How(NamedTuple):
    """How all workers decode."""

    length: int
    beam: int
    device: torch.device
    precision: str


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


def force(
    model: TranslationModel,
    sizes: Sizes,
    vocabulary: int,
    sources: Sequence[Sequence[int]],
    *,
    length: int,
    beam: int,
    device: torch.device,
    precision: str = "fp32",
    workers: int = 1,
) -> Searches:
    """Decodes all sources by torch to exactly ``length`` pieces, a batch of sentences of about the same length at a time; or by several
    workers, which are processes of one thread."""
    how = _How(length, beam, device, precision)
    begun, ended = _forced(model, sources, how) if workers == 1 else _forced_side_by_side(model, sources, how, workers)
    seconds = ended - begun
    counted = operations(sizes, vocabulary)
    done = sum(counted.search(len(source) + 1, length, beam) for source in sources)
    rate = workers * product_rate(device, precision, threads=1 if workers > 1 else None)
    return Searches(len(sources), len(sources) * length / seconds, seconds, done // len(sources), done / seconds / rate)


def _forced_side_by_side(
    model: TranslationModel, sources: Sequence[Sequence[int]], how: _How, workers: int
) -> tuple[float, float]:
    """When the first of the workers began and the last one ended; all wait for each other when they have warmed up."""
    with multiprocessing.Manager() as manager, processes(workers, end_with_parent) as pool:
        ready = manager.Barrier(workers)
        begun = [pool.submit(_one_of_several, model, share, how, ready) for share in _shares(sources, workers)]
        times = [each.result() for each in begun]
    return min(start for start, _ in times), max(end for _, end in times)


def _one_of_several(
    model: TranslationModel, sources: Sequence[Sequence[int]], how: _How, ready: Barrier
) -> tuple[float, float]:
    torch.set_num_threads(1)
    return _forced(model, sources, how, partial(ready.wait, LONGEST_START))


@torch.inference_mode()
def _forced(
    model: TranslationModel, sources: Sequence[Sequence[int]], how: _How, ready: Callable[[], object] = int
) -> tuple[float, float]:
    """When it began and ended, by the clock that all processes share; ``ready`` is called when it has warmed up."""
    length, beam, device, precision = how
    search = BeamSearch(
        SearchSettings(beam=beam, min_length=length - 1, max_ratio=1e-9, max_extra=length), bos=BOS, eos=EOS, pad=PAD
    )
    batches = [pad([[*source, EOS] for source in batch]) for batch in _batches(sources)]
    frozen = model.eval().for_inference(device, precision)
    search(frozen, *(part[:2].to(device) for part in batches[0]))  # warms up
    ready()
    begun = time.time()
    for source, mask in batches:
        search(frozen, source.to(device), mask.to(device))
    synchronise(device)
    return begun, time.time()


def force_exported(
    model: TranslationModel,
    names: Sequence[str],
    sources: Sequence[Sequence[int]],
    *,
    length: int,
    beam: int,
    quantization: str,
    workers: int,
) -> Searches:
    """The same work by CTranslate2, by several translators of one thread each. ``names`` are those of the pieces."""
    import ctranslate2

    from nmt.export import layout

    assert model.exporter, "CTranslate2 has no other than Transformers"
    spec = load_name(model.exporter)(model, names, names, layout.FEWEST_POSITIONS)
    spec.optimize(quantization)
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        engine = ctranslate2.Translator(folder, compute_type=quantization, inter_threads=workers, intra_threads=1)
    batches = [[[names[id] for id in source] for source in batch] for batch in _in_turn(sources, workers)]
    forced = {
        "beam_size": beam,
        "min_decoding_length": length,
        "max_decoding_length": length,
        "length_penalty": 0,
        "return_scores": True,
    }
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
    source_tokens: int
    target_tokens: int

    def as_json(self) -> dict[str, Any]:
        """The fields and the rates, ready for JSON."""
        rates = {
            "lines_per_second": self.lines / self.seconds,
            "target_tokens_per_second": self.target_tokens / self.seconds,
        }
        return asdict(self) | rates


def translate(translator: Streams, lines: Sequence[str]) -> Lines:
    """Times the translation of lines, after a few that are not counted."""
    list(translator.stream(lines[:4]))
    begun = time.perf_counter()
    found: list[Translation] = list(translator.stream(lines))
    seconds = time.perf_counter() - begun
    return Lines(
        len(lines), seconds, sum(len(each.source_pieces) for each in found), sum(len(each.pieces) for each in found)
    )


def _shares(sources: Sequence[Sequence[int]], workers: int) -> list[list[Sequence[int]]]:
    """As much work for each worker: every length is in every share."""
    ordered = sorted(sources, key=len, reverse=True)
    return [list(ordered[first::workers]) for first in range(workers)]


def _in_turn(sources: Sequence[Sequence[int]], workers: int) -> list[list[Sequence[int]]]:
    """The batches of all shares, one of each share in turn, for workers that take the next batch when they are free."""
    turns = zip_longest(*map(_batches, _shares(sources, workers)), fillvalue=[])
    return [batch for turn in turns for batch in turn if batch]


def _batches(sources: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    ordered = sorted(sources, key=len, reverse=True)
    return [list(ordered[start : start + SENTENCES]) for start in range(0, len(ordered), SENTENCES)]
