"""The CTranslate2 engine: opening a run's export, and translating with it.

CTranslate2 scores by length^alpha and stops by its own rules, so it is asked for plain log-probabilities: without a
length penalty its rule and ours end with the same best hypothesis; with one, it is asked for more hypotheses than the
beam, and ours ranks them. What its rules cannot express is corrected sentence by sentence: a hypothesis that is longer
than its own source allows, or that never ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD, Vocabulary
from nmt.errors import RunError, UserError
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import BatchTranslator
from nmt.runs.run_folder import Run
from nmt.search import Hypothesis, SearchSettings, length_penalty

NAME, DESCRIPTION = "ctranslate2", "nmt.json"
"""The folder of an export in its run, and the file in it that describes it."""
FORMAT = 1
QUANTIZATIONS = ("float32", "int8")
PATIENCE = 2.0
"""With a length penalty, search stops after this many times the beam finished hypotheses (Kasai et al. 2022,
arXiv:2204.05424)."""
NEARLY_NONE = 1e-9
"""A length penalty that changes no score in fp32 and yet makes CTranslate2 wait for the hypotheses of `PATIENCE`."""


class Begun(NamedTuple):
    """The pending result for one part, and a second one for the weights of the first token where these are needed."""

    result: Any
    first: Any


@dataclass(frozen=True)
class Export:
    """An export, opened for reading."""

    path: Path
    weights_sha256: str
    """Of the run's weights that it was made of."""
    quantization: str
    """One of `QUANTIZATIONS`."""
    positions: int
    """Tokens that either side of a sentence may have, its end counted."""

    def fault(self, run: Run) -> str | None:
        """Why this export cannot be used for a run here, or None."""
        if self.weights_sha256 != run.weights_sha256:
            return (
                f"made of other weights than the run has now; export it again: nmt export {run.path} --to ctranslate2"
            )
        return unsuitable(run) or unsupported(self.quantization)


def open_export(run: Run) -> Export | None:
    """A run's export, or None where there is none."""
    path = run.path / NAME / DESCRIPTION
    if not path.exists():
        return None
    try:
        described = json.loads(path.read_text(encoding="utf8"))
        found = described["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); export the run again: nmt export {run.path} --to ctranslate2"
        ) from error
    if found != FORMAT:
        raise UserError(
            f"{path}: expected an export of format {FORMAT}, found {found!r}; it was made by another version of nmt: "
            f"export it again: nmt export {run.path} --to ctranslate2"
        )
    try:
        return Export(
            path.parent,
            str(described["weights_sha256"]),
            str(described["quantization"]),
            int(described["positions"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: damaged ({error}); export the run again: nmt export {run.path} --to ctranslate2"
        ) from error


def check(run: Run, quantization: str) -> None:
    """Refuses what cannot be exported, with the reason and the way out."""
    if reason := unsuitable(run):
        raise UserError(f"{run.path}: {reason}")
    if reason := unsupported(quantization):
        raise UserError(f"--quantization: {reason}")
    run.check()


def unsuitable(run: Run) -> str | None:
    """Why a run cannot be exported, or None."""
    if run.description.exporter is None:
        return (
            f"CTranslate2 has no model of this kind ({run.description.title}); only Transformers can be exported\n"
            "this run translates with --engine torch"
        )
    if found := run.recipe.search.min_length:
        return (
            f"search.min_length: expected 0, found {found}: CTranslate2 changes all probabilities before the minimum "
            "length; take --engine torch"
        )
    return None


def unsupported(quantization: str) -> str | None:
    """Why this installation cannot compute in a quantization, or None."""
    if find_spec("ctranslate2") is None:
        return "ctranslate2 is not installed: pip install 'nmt-recipes[ct2]'"
    import ctranslate2

    there = ctranslate2.get_supported_compute_types("cpu")
    return (
        None
        if quantization in there
        else f"CTranslate2 does not compute in {quantization} on this CPU; it does in {', '.join(sorted(there))}"
    )


class CTranslate2Translator(BatchTranslator):
    """Translates with an export: one translator in C++ for each of ``workers``, with ``threads`` threads each."""

    def __init__(
        self,
        export: Export,
        source_vocabulary: Vocabulary,
        target_vocabulary: Vocabulary,
        search: SearchSettings,
        trained: TrainingStatistics,
        *,
        batch_tokens: int = 4096,
        workers: int = 1,
        threads: int = 0,
    ) -> None:
        """``threads`` of 0 takes as many as torch does."""
        import ctranslate2

        super().__init__(source_vocabulary, target_vocabulary, search, trained, batch_tokens=batch_tokens)
        self.positions = export.positions
        self.ids = {
            piece: id for id, piece in enumerate(self.target_vocabulary.pieces(range(len(self.target_vocabulary))))
        }
        try:
            self.engine = ctranslate2.Translator(
                str(export.path),
                compute_type=export.quantization,
                inter_threads=workers,
                intra_threads=threads or torch.get_num_threads(),
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{export.path}: CTranslate2 cannot load it ({error}); export the run again") from error

    def _find(self, batches: Sequence[list[list[int]]]) -> Iterable[list[list[Hypothesis]]]:
        """Submits all batches at once, so that every worker is busy."""
        waiting = [self._begin(batch) for batch in batches]
        return (self._finish(batch, begun) for batch, begun in zip(batches, waiting, strict=True))

    def _begin(self, parts: list[list[int]], *, whole: bool = False, without: Sequence[int] = ()) -> list[Begun]:
        """Submits parts. More than the best hypothesis is needed if our penalty ranks them or the `whole` beam is
        wanted."""
        search = self.search
        several = search.beam > 1 and (search.alpha > 0 or search.nbest > 1 or whole)
        results = self._ask(
            parts,
            beam_size=search.beam,
            num_hypotheses=round(search.beam * PATIENCE) if several else 1,
            patience=PATIENCE if several else 1,
            length_penalty=NEARLY_NONE if several else 0,
            max_decoding_length=self._longest(max(parts, key=len)),
            min_decoding_length=0,
            suppress_sequences=[self.target_vocabulary.pieces([id]) for id in without],
            return_scores=True,
            return_attention=search.settings.keep_weights,
            return_end_token=True,
        )
        firsts: Iterable[Any] = repeat(None)
        if search.settings.keep_weights and search.beam > 1 and len(parts) > 1:
            # CTranslate2 4.8 gives the first token of a beam the weights of another sentence in the batch. They do not
            # depend on the beam, so a greedy search of one step gives them.
            firsts = self._ask(parts, beam_size=1, max_decoding_length=1, return_attention=True, return_end_token=True)
        return [Begun(result, first) for result, first in zip(results, firsts, strict=False)]

    def _ask(self, parts: list[list[int]], **options: Any) -> list[Any]:
        """Pending results, one for each part."""
        pieces = [self.source_vocabulary.pieces(part) for part in parts]
        begun: list[Any] = self.engine.translate_batch(pieces, asynchronous=True, max_input_length=0, **options)
        return begun

    def _longest(self, part: list[int]) -> int:
        """The longest target in tokens with EOS: the limit of `BeamSearch` and of the exported position table."""
        return min(int(self.search.longest(torch.tensor([len(part) + 1]))), self.positions)

    def _finish(self, parts: list[list[int]], begun: list[Begun]) -> list[list[Hypothesis]]:
        return [self._kept(part, each) or self._again(part) for part, each in zip(parts, begun, strict=True)]

    def _kept(self, part: list[int], begun: Begun) -> list[Hypothesis]:
        """The best of the hypotheses that ended within the limit of their source."""
        longest = self._longest(part)
        return self._ranked(
            each for each in self._hypotheses(part, begun) if each.finished and len(each.tokens) < longest
        )

    def _again(self, part: list[int]) -> list[Hypothesis]:
        """Searches one part alone with its own limit; if no hypothesis ends, the unfinished ones are returned."""
        for without in ((), (PAD, BOS)):
            (begun,) = self._begin([part], whole=True, without=without)
            found = list(self._hypotheses(part, begun))
            if ranked := self._ranked(each for each in found if each.finished) or self._ranked(found):
                return ranked
        raise RunError(f"CTranslate2 found no translation of a sentence of {len(part)} pieces; try --engine torch")

    def _ranked(self, found: Iterable[Hypothesis]) -> list[Hypothesis]:
        return sorted(found, key=lambda each: -each.score)[: self.search.nbest]

    def _hypotheses(self, part: list[int], begun: Begun) -> Iterator[Hypothesis]:
        """All hypotheses without those that contain PAD or BOS; forbidding these tokens would change other
        probabilities."""
        try:
            result, first = begun.result.result(), None if begun.first is None else begun.first.result()
        except RuntimeError as error:
            raise RunError(f"CTranslate2 failed on a sentence of {len(part)} pieces: {error}") from error
        for rank, (pieces, log_probability) in enumerate(zip(result.hypotheses, result.scores, strict=True)):
            tokens = [self.ids[piece] for piece in pieces]
            if {PAD, BOS} & set(tokens):
                continue
            rows = result.attention[rank] if result.attention else []
            yield self._hypothesis(
                tokens, log_probability, rows if first is None else [*first.attention[0][:1], *rows[1:]]
            )

    def _hypothesis(self, tokens: list[int], log_probability: float, rows: list[list[float]]) -> Hypothesis:
        finished = tokens[-1:] == [EOS]
        return Hypothesis(
            tokens=tuple(tokens[:-1] if finished else tokens),
            log_probability=log_probability,
            score=log_probability / length_penalty(len(tokens), self.search.alpha),
            token_scores=(),
            weights=_with_end(torch.tensor(rows)) if rows else None,
            finished=finished,
        )

    def score(self, sources: Sequence[list[int]], targets: Sequence[Sequence[int]]) -> list[list[float]]:
        """Log-probabilities of the tokens of targets, EOS included, under teacher forcing."""
        found = self.engine.score_batch(
            [self.source_vocabulary.pieces(part) for part in sources],
            [self.target_vocabulary.pieces(part) for part in targets],
            max_batch_size=self.batch_tokens,
            batch_type="tokens",
            max_input_length=0,
        )
        return [list(each.log_probs) for each in found]


def _with_end(weights: Tensor) -> Tensor:
    """Weights ``(target, source)`` with a column for EOS, which CTranslate2 leaves out: the rest to 1."""
    return torch.cat([weights, (1 - weights.sum(1, keepdim=True)).clamp(min=0)], 1)
