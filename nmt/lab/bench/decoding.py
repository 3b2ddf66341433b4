"""Speed of decoding: of translating lines as a user does, and of hypotheses that are forced to one length.

Forced to one length, all models do the same work, whatever their weights.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import zip_longest
from threading import Barrier
from typing import Any, NamedTuple

import torch

from nmt.data.batches import pad
from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.inference.parallel import end_with_parent, processes
from nmt.inference.translator import Translator
from nmt.lab.bench import operations
from nmt.lab.bench.machine import product_rate, synchronise
from nmt.models.protocol import TranslationModel, load_name
from nmt.search import BeamSearch, SearchSettings

SENTENCES = 64
"""In a batch of forced decoding."""
START_TIMEOUT = 300
"""Seconds that a worker waits for the others to be ready."""


class _Settings(NamedTuple):
    """How every worker decodes."""

    length: int
    beam: int
    device: torch.device
    precision: str

    @property
    def search(self) -> BeamSearch:
        """Every hypothesis ends at the same length."""
        own = SearchSettings(beam=self.beam, min_length=self.length - 1, max_ratio=1e-9, max_extra=self.length)
        return BeamSearch(own, bos=BOS, eos=EOS, pad=PAD)


@dataclass(frozen=True)
class Decoding:
    """Speed of forced decoding. Positions are sentences x length; the beam is not counted."""

    sentences: int
    positions_per_second: float
    seconds: float
    operations: int
    """In the matrix products of a sentence: the mean."""
    share: float | None
    """Of the measured rate of matrix products; None for another engine."""

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def force(
    model: TranslationModel,
    sources: Sequence[Sequence[int]],
    *,
    length: int,
    beam: int,
    device: torch.device,
    precision: str = "fp32",
    workers: int = 1,
) -> Decoding:
    """Times torch decoding all sources to exactly ``length`` tokens, in batches of similar source lengths.

    More than one worker are processes of one thread each, which share the sources.
    """
    settings = _Settings(length, beam, device, precision)
    begun, ended = (
        _forced(model, sources, settings) if workers == 1 else _in_parallel(model, sources, settings, workers)
    )
    seconds = ended - begun
    done = _operations(model, sources, settings)
    rate = workers * product_rate(device, precision, threads=1 if workers > 1 else None)
    return Decoding(len(sources), len(sources) * length / seconds, seconds, done // len(sources), done / seconds / rate)


@torch.no_grad()
def _operations(model: TranslationModel, sources: Sequence[Sequence[int]], settings: _Settings) -> int:
    """Of decoding all sources, each counted alone."""
    lengths, device = Counter(len(source) + 1 for source in sources), settings.device
    frozen, search = model.eval().for_inference(device, "fp32"), settings.search
    return sum(times * operations.of_search(frozen, search, length, device) for length, times in lengths.items())


def _in_parallel(
    model: TranslationModel, sources: Sequence[Sequence[int]], settings: _Settings, workers: int
) -> tuple[float, float]:
    """When the first worker began and the last one ended; each waits for all others to warm up."""
    with multiprocessing.Manager() as manager, processes(workers, end_with_parent) as pool:
        ready = manager.Barrier(workers)
        begun = [pool.submit(_worker, model, share, settings, ready) for share in _shares(sources, workers)]
        times = [each.result() for each in begun]
    return min(start for start, _ in times), max(end for _, end in times)


def _worker(
    model: TranslationModel, sources: Sequence[Sequence[int]], settings: _Settings, ready: Barrier
) -> tuple[float, float]:
    torch.set_num_threads(1)
    return _forced(model, sources, settings, partial(ready.wait, START_TIMEOUT))


@torch.inference_mode()
def _forced(
    model: TranslationModel, sources: Sequence[Sequence[int]], settings: _Settings, ready: Callable[[], object] = int
) -> tuple[float, float]:
    """Time at beginning and end, on the clock that processes share; ``ready`` is called after warming up."""
    device, search = settings.device, settings.search
    batches = [pad([[*source, EOS] for source in batch]) for batch in _batches(sources)]
    frozen = model.eval().for_inference(device, settings.precision)
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
) -> Decoding:
    """The same work by CTranslate2, by translators of one thread each. ``names`` are the pieces of the vocabulary."""
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
    return Decoding(len(sources), len(sources) * length / seconds, seconds, 0, None)


@dataclass(frozen=True)
class Lines:
    """Speed of translating lines."""

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


def translate(translator: Translator, lines: Sequence[str]) -> Lines:
    """Times the translation of lines, after a few to warm up."""
    list(translator.stream(lines[:4]))
    begun = time.perf_counter()
    found = list(translator.stream(lines))
    seconds = time.perf_counter() - begun
    return Lines(
        len(lines), seconds, sum(len(each.source_pieces) for each in found), sum(len(each.pieces) for each in found)
    )


def _shares(sources: Sequence[Sequence[int]], workers: int) -> list[list[Sequence[int]]]:
    """Equal work for each worker: lengths are spread over all shares."""
    ordered = sorted(sources, key=len, reverse=True)
    return [list(ordered[first::workers]) for first in range(workers)]


def _in_turn(sources: Sequence[Sequence[int]], workers: int) -> list[list[Sequence[int]]]:
    """The batches of all shares in alternation, for workers that take the next batch when they are free."""
    turns = zip_longest(*map(_batches, _shares(sources, workers)), fillvalue=[])
    return [batch for turn in turns for batch in turn if batch]


def _batches(sources: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    ordered = sorted(sources, key=len, reverse=True)
    return [list(ordered[start : start + SENTENCES]) for start in range(0, len(ordered), SENTENCES)]
