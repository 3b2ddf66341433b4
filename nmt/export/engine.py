"""Translating with an export: CTranslate2 searches, everything around the search is the same as with torch.

It scores by length^alpha and stops by its own rules. So it is asked for plain log-probabilities: with no length penalty, its rule and ours end
with the same best hypothesis; with one, it is asked for more hypotheses than a beam has, and ours ranks them. What its rules cannot express
is mended sentence by sentence: a hypothesis that is longer than its own source allows, or that never ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.errors import RunError, UserError
from nmt.export.folder import Export
from nmt.inference.translator import LineTranslator, shown_in_training
from nmt.runs.run_folder import Run
from nmt.search import BeamSearch, Hypothesis, SearchSettings, length_penalty

PATIENCE = 2.0
"""With a length penalty, how many times the beam hypotheses are finished before search stops (Kasai et al. 2022, arXiv:2204.05424)."""
NEARLY_NONE = 1e-9
"""A length penalty that changes no score in fp32 and yet makes CTranslate2 wait for as many hypotheses as `PATIENCE` says."""


class Begun(NamedTuple):
    """What CTranslate2 will have found for one part, and the weights of its first piece where these are asked for apart."""

    result: Any
    first: Any


class ExportTranslator(LineTranslator):
    """The export of a run, with the settings of its search. One translator in C++ for each of ``workers``, with ``threads`` threads each."""

    def __init__(
        self, export: Export, run: Run, *, workers: int = 1, threads: int = 0, keep_weights: bool = True, **search: Any
    ) -> None:
        """``threads`` of 0 takes what torch finds. The settings of the search are the recipe's, but for those given."""
        import ctranslate2

        if "precision" in search:
            raise ValueError(
                "precision: an export computes in the numbers that it was made with; take the run itself with --engine torch"
            )
        settings = run.recipe.search.model_dump() | search
        batch_tokens, _ = settings.pop("batch_tokens"), settings.pop("precision")
        super().__init__(
            *run.vocabularies,
            shown_in_training(run),
            length_penalty=settings["length_penalty"],
            batch_tokens=batch_tokens,
        )
        self.search = BeamSearch(
            SearchSettings(keep_weights=keep_weights, **settings), bos=BOS, eos=EOS, pad=PAD
        )  # checks the settings, and knows the lengths
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
        """Hands over all batches, so that every worker of the engine has something to do."""
        waiting = [self._begin(batch) for batch in batches]
        return (self._finish(batch, begun) for batch, begun in zip(batches, waiting, strict=True))

    def _begin(self, parts: list[list[int]], *, whole: bool = False, without: Sequence[int] = ()) -> list[Begun]:
        """Asks for hypotheses of each part: for the best only where our penalty ranks nothing, and not the `whole` beam is wanted."""
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
            # CTranslate2 4.8 gives the first piece of a beam the weights of another sentence in the batch; they do not depend on the beam
            firsts = self._ask(parts, beam_size=1, max_decoding_length=1, return_attention=True, return_end_token=True)
        return [Begun(result, first) for result, first in zip(results, firsts, strict=False)]

    def _ask(self, parts: list[list[int]], **options: Any) -> list[Any]:
        """Results to come, one for each part."""
        pieces = [self.source_vocabulary.pieces(part) for part in parts]
        begun: list[Any] = self.engine.translate_batch(pieces, asynchronous=True, max_input_length=0, **options)
        return begun

    def _longest(self, part: list[int]) -> int:
        """Most pieces of a target, its end counted: what `BeamSearch` allows, as far as the exported table of positions reaches."""
        return min(int(self.search.longest(torch.tensor([len(part) + 1]))), self.positions)

    def _finish(self, parts: list[list[int]], begun: list[Begun]) -> list[list[Hypothesis]]:
        return [self._kept(part, each) or self._again(part) for part, each in zip(parts, begun, strict=True)]

    def _kept(self, part: list[int], begun: Begun) -> list[Hypothesis]:
        """The best of the hypotheses that ended within what their source allows."""
        longest = self._longest(part)
        return self._ranked(
            each for each in self._hypotheses(part, begun) if each.finished and len(each.tokens) < longest
        )

    def _again(self, part: list[int]) -> list[Hypothesis]:
        """A part in which nothing ended in time, by itself, with its own longest length: if again nothing ends, what was cut there."""
        for without in ((), (PAD, BOS)):
            (begun,) = self._begin([part], whole=True, without=without)
            found = list(self._hypotheses(part, begun))
            if ranked := self._ranked(each for each in found if each.finished) or self._ranked(found):
                return ranked
        raise RunError(f"CTranslate2 found no translation of a sentence of {len(part)} pieces; try --engine torch")

    def _ranked(self, found: Iterable[Hypothesis]) -> list[Hypothesis]:
        return sorted(found, key=lambda each: -each.score)[: self.search.nbest]

    def _hypotheses(self, part: list[int], begun: Begun) -> Iterator[Hypothesis]:
        """All that were found, but for those with pieces that no target has. To forbid these would change every other piece's probability."""
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
            score=log_probability / length_penalty(len(tokens), self.alpha),
            token_scores=(),
            weights=_with_end(torch.tensor(rows)) if rows else None,
            finished=finished,
        )

    def score(self, sources: Sequence[list[int]], targets: Sequence[Sequence[int]]) -> list[list[float]]:
        """Log-probabilities of the pieces of targets, and of their ends, under teacher forcing."""
        found = self.engine.score_batch(
            [self.source_vocabulary.pieces(part) for part in sources],
            [self.target_vocabulary.pieces(part) for part in targets],
            max_batch_size=self.batch_tokens,
            batch_type="tokens",
            max_input_length=0,
        )
        return [list(each.log_probs) for each in found]


def _with_end(weights: Tensor) -> Tensor:
    """Weights ``(target, source)`` with that of the source's end, which CTranslate2 leaves out: what is missing to 1."""
    return torch.cat([weights, (1 - weights.sum(1, keepdim=True)).clamp(min=0)], 1)
