"""The CTranslate2 engine: translating with a run's export.

CTranslate2 scores by length^alpha and stops by its own rules, so it is asked for plain log-probabilities: without a
length penalty its rule and ours end with the same best hypothesis; with one, it is asked for more hypotheses than the
beam, and ours ranks them. What its rules cannot express is corrected sentence by sentence: a hypothesis that is longer
than its own source allows, or that never ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD, Vocabulary
from nmt.errors import RunError, UserError
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.exports import Export, too_wide
from nmt.inference.memory import SearchMemory
from nmt.inference.translator import BatchTranslator, Protect
from nmt.search import Hypothesis, SearchSettings, length_penalty
from nmt.text.passage import Passage

PATIENCE = 2.0
"""With a length penalty, search stops after this many times the beam finished hypotheses (Kasai et al. 2022,
arXiv:2204.05424)."""
NEARLY_NONE = 1e-9
"""A length penalty that changes no score in fp32 and yet makes CTranslate2 wait for the hypotheses of `PATIENCE`."""


FAILURES = (RuntimeError, ValueError, IndexError, KeyError, MemoryError)
"""What CTranslate2 raises, most of it for a file that is none of its own."""


class Begun(NamedTuple):
    """The pending result for one part, and a second one for the weights of the first token where these are needed."""

    result: Any
    first: Any


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
        passage: Callable[[str], Passage] = Passage.whole,
        protect: Protect | None = None,
        memory: SearchMemory | None = None,
        workers: int = 1,
        threads: int = 0,
    ) -> None:
        """``threads`` of 0 takes as many as torch does."""
        import ctranslate2

        if reason := too_wide(search.beam):
            raise ValueError(f"beam: {reason}")
        self.positions = export.description.positions
        super().__init__(
            source_vocabulary,
            target_vocabulary,
            search,
            trained,
            batch_tokens=batch_tokens,
            passage=passage,
            protect=protect,
            memory=memory,
        )
        self.ids = {
            piece: id for id, piece in enumerate(self.target_vocabulary.pieces(range(len(self.target_vocabulary))))
        }
        try:
            self.engine = ctranslate2.Translator(
                str(export.path),
                files=dict(export.contents),
                compute_type=export.description.quantization,
                inter_threads=workers,
                intra_threads=threads or torch.get_num_threads(),
            )
        except FAILURES as error:
            raise UserError(f"{export.path}: CTranslate2 cannot load it ({error}); export the run again") from error

    def _limit(self) -> int:
        return min(super()._limit(), self.positions - 1)

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
        try:
            begun: list[Any] = self.engine.translate_batch(pieces, asynchronous=True, max_input_length=0, **options)
        except FAILURES as error:
            raise _failed(len(max(parts, key=len)), error) from error
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
            found = [[self.ids[piece] for piece in pieces] for pieces in result.hypotheses]
        except FAILURES as error:
            raise _failed(len(part), error) from error
        for rank, (tokens, log_probability) in enumerate(zip(found, result.scores, strict=True)):
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


def _failed(tokens: int, error: Exception) -> UserError:
    return UserError(
        f"CTranslate2 failed on a sentence of {tokens} tokens ({error}); export the run again, or take --engine torch"
    )


def _with_end(weights: Tensor) -> Tensor:
    """Weights ``(target, source)`` with a column for EOS, which CTranslate2 leaves out: the rest to 1."""
    return torch.cat([weights, (1 - weights.sum(1, keepdim=True)).clamp(min=0)], 1)
