"""Greedy and beam search over the three verbs of a model; greedy search is beam 1.

Every step appends `BackPointers`, all of them tensors; the hypotheses are read backwards from these once, at the end.
Finished sentences leave the batch, and no sentence depends on another's scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor
from torch.nn.functional import pad

from nmt.models.protocol import DecodingProtocol, State, Step, select

MAX_BEAM = 1000
"""As in recipes; time and memory are in proportion to the beam."""
TOGETHER = 32
"""Steps whose back-pointers lie together in memory, see `StepStore`."""
BLOCK = 64
"""Tokens of the vocabulary in a block, see `_top`."""


@dataclass(frozen=True)
class Hypothesis:
    """One translation that search found."""

    tokens: tuple[int, ...]
    """Token ids, without BOS and EOS."""
    log_probability: float
    """Sum of `token_scores`."""
    score: float
    """Log-probability after the length penalty."""
    token_scores: tuple[float, ...]
    """Log-probability of each token, and of EOS when it is finished. Empty where an engine gives only their sum."""
    weights: Tensor | None = field(compare=False, default=None)
    """Attention weights ``(target, slot)``: a row for each of `token_scores`, without padded slots. None unless search
    keeps them."""
    finished: bool = True
    """False when it reached the longest length allowed before EOS."""


@overload
def length_penalty(length: int, alpha: float) -> float: ...
@overload
def length_penalty(length: Tensor, alpha: float) -> Tensor: ...
def length_penalty(length: int | Tensor, alpha: float) -> float | Tensor:
    """The divisor of a log-probability: ((5 + length) / 6) ^ alpha (Wu et al. 2016, arXiv:1609.08144, equation 14).

    The length counts EOS, whose probability is a factor like the others.
    """
    result: float | Tensor = ((5 + length) / 6) ** alpha
    return result


class Candidates(NamedTuple):
    """The best continuations of a sentence's beams, best first; every tensor is ``(sentence, candidate)``."""

    totals: Tensor
    """Log-probability of the whole hypothesis; -inf where there is no such continuation."""
    tokens: Tensor
    scores: Tensor
    """Log-probability of the token alone."""
    beams: Tensor
    """The beam that is continued."""


class BackPointers(NamedTuple):
    """The outcome of one step, for the sentences that were active before it."""

    row: Tensor
    """``(batch,)``: the row of each sentence of the batch among the active ones; 0 for finished sentences."""
    candidates: Candidates
    chosen: Tensor
    """``(sentence, beam)``: the candidate that became each beam of the next step."""
    live: Tensor
    """``(sentence, beam)``: its log-probability, -inf where there are fewer live hypotheses than beams."""
    weights: Tensor | None
    """``(sentence, beam, slot)``, of the beams before the step."""


class StepStore:
    """Keeps the back-pointers of all steps, those of `TOGETHER` steps in one block of memory for each tensor.

    Kept where a step makes them, its small tensors would lie between blocks that a growing state has outgrown, which
    then fit nothing: a search of 1,000 steps would take 80 times the memory of its last state.
    """

    def __init__(self) -> None:
        self.steps: list[BackPointers] = []
        self._blocks: dict[str, tuple[Tensor, int]] = {}
        """By name of the tensor, the block that is being filled, and how far it is."""

    def __len__(self) -> int:
        return len(self.steps)

    def keep(self, step: BackPointers) -> BackPointers:
        """The same values, kept."""
        candidates = Candidates(*(self._kept(name, part) for name, part in step.candidates._asdict().items()))
        weights = None if step.weights is None else self._kept("weights", step.weights)
        row, chosen, live = (self._kept(name, getattr(step, name)) for name in ("row", "chosen", "live"))
        self.steps.append(BackPointers(row, candidates, chosen, live, weights))
        return self.steps[-1]

    def _kept(self, name: str, tensor: Tensor) -> Tensor:
        block, used = self._blocks.get(name, (tensor, tensor.numel()))
        if used + tensor.numel() > block.numel():
            block, used = tensor.new_empty(TOGETHER * tensor.numel()), 0
        self._blocks[name] = block, used + tensor.numel()
        return block[used : used + tensor.numel()].view(tensor.shape).copy_(tensor)


class BeamState(NamedTuple):
    """The live beams before a step."""

    active: Tensor
    """``(sentence,)``: the sentences of the batch that are not finished."""
    live: Tensor
    """``(sentence, beam)``: log-probabilities, best first. Before the first step there is one beam."""
    previous: Tensor
    """``(sentence x beam,)``: token ids."""
    state: State
    memory: Any


class NBest(NamedTuple):
    """The best hypotheses so far, best first; every tensor is ``(sentence, n-best)``, with score -inf where there is
    none."""

    scores: Tensor
    steps: Tensor
    """The step of the last token."""
    last: Tensor
    """The candidate at that step."""

    def merge(self, others: NBest) -> NBest:
        """The best of both, as many as there are here."""
        together = NBest(*(torch.cat(pair, 1) for pair in zip(self, others, strict=True)))
        order = together.scores.topk(self.scores.shape[1]).indices
        return NBest(*(part.gather(1, order) for part in together))


class Trace(NamedTuple):
    """The n-best hypotheses by token: ``(batch, n-best, target)``, the weights ``(batch, n-best, target, slot)``.

    Entries beyond the end of a hypothesis are arbitrary.
    """

    tokens: Tensor
    scores: Tensor
    weights: Tensor | None


@dataclass(frozen=True)
class SearchSettings:
    """What decides which translations search finds. A target has at most ``max_ratio * source + max_extra`` tokens, the
    end of both sides counted, and never more than `max_tokens`."""

    beam: int = 5
    """Hypotheses kept per sentence; 1 is greedy search."""
    length_penalty: float = 0.6
    """Alpha of `length_penalty`; 0 compares plain log-probabilities."""
    min_length: int = 0
    """Fewest tokens before the end."""
    max_ratio: float = 2.0
    max_extra: int = 20
    max_tokens: int | None = None
    nbest: int = 1
    """Hypotheses returned per sentence."""
    keep_weights: bool = False
    """Whether hypotheses carry their attention weights."""

    def __post_init__(self) -> None:
        _expect(1 <= self.beam <= MAX_BEAM, "beam", f"an integer from 1 to {MAX_BEAM}", self.beam)
        _expect(1 <= self.nbest <= self.beam, "nbest", f"between 1 and the beam, which is {self.beam}", self.nbest)
        _expect(0 <= self.length_penalty < math.inf, "length_penalty", "a number of at least 0", self.length_penalty)
        _expect(self.min_length >= 0, "min_length", "an integer of at least 0", self.min_length)
        _expect(0 < self.max_ratio < math.inf, "max_ratio", "a number above 0", self.max_ratio)
        _expect(self.max_extra >= 0, "max_extra", "an integer of at least 0", self.max_extra)
        _expect(
            self.max_tokens is None or self.max_tokens > self.min_length,
            "max_tokens",
            f"more than min_length, which is {self.min_length}",
            self.max_tokens,
        )

    def longest(self, source: int) -> int:
        """Most tokens of a target, its end counted, for a source of so many tokens with its end."""
        longest = max(int(source * self.max_ratio) + self.max_extra, self.min_length + 1)
        return longest if self.max_tokens is None else min(longest, self.max_tokens)

    def as_json(self) -> dict[str, int | float]:
        """The settings that decide the best translation, as they stand beside scores."""
        named = ("beam", "length_penalty", "min_length", "max_ratio", "max_extra")
        return {name: getattr(self, name) for name in named}


class SearchCancelledError(Exception):
    """Nobody waits for the hypotheses any more."""


def never() -> bool:
    """The predicate of a search that is not cancelled."""
    return False


class BeamSearch:
    """Finds the translations of a batch that are most probable under a model.

    Twice as many candidates as beams are kept, so that finished hypotheses leave room for live ones. A sentence is
    finished when it has `nbest` finished hypotheses and no live one can overtake the last of them: a log-probability
    only falls, and the length penalty is at most that of the longest length. Beam 1 follows the most probable token
    until that is EOS.
    """

    def __init__(self, settings: SearchSettings, *, bos: int, eos: int, pad: int) -> None:
        self.settings, self.bos, self.eos, self.pad = settings, bos, eos, pad
        self.beam, self.nbest, self.alpha = settings.beam, settings.nbest, settings.length_penalty
        self.width = 2 * self.beam if self.beam > 1 else 1

    @torch.inference_mode()
    def __call__(
        self, model: DecodingProtocol, source: Tensor, mask: Tensor, *, cancelled: Callable[[], bool] = never
    ) -> list[list[Hypothesis]]:
        """At most `nbest` different hypotheses for each row of source ids ``(batch, source)``, best first.

        ``mask`` is True at real source tokens. A hypothesis without EOS is returned only where there is none with it.
        `SearchCancelledError` is raised before the first step at which ``cancelled`` returns True.
        """
        if not len(source):
            return []
        pointers, nbest = self._run(model, source, mask, cancelled)
        if not nbest.scores[:, 0].isfinite().all():
            raise FloatingPointError(
                "search: no continuation has a finite score; the weights of the model are probably not numbers"
            )
        return self._hypotheses(nbest, self._trace(pointers, nbest), mask)

    def _run(
        self, model: DecodingProtocol, source: Tensor, mask: Tensor, cancelled: Callable[[], bool]
    ) -> tuple[list[BackPointers], NBest]:
        beams, longest = self._start(model, source, mask), self.longest(mask.sum(1))
        nbest = self._no_hypotheses(source)
        store = StepStore()
        while len(beams.active):
            if cancelled():
                raise SearchCancelledError
            step = model.step(beams.previous, beams.state, beams.memory)
            pointers = store.keep(self._continue(step, beams, len(source), len(store)))
            better, finished = self._finish(select(nbest, beams.active), pointers, len(store), longest[beams.active])
            nbest = NBest(*(old.index_copy(0, beams.active, new) for old, new in zip(nbest, better, strict=True)))
            beams = self._advance(beams, pointers, step.state, finished)
        return store.steps, nbest

    def _start(self, model: DecodingProtocol, source: Tensor, mask: Tensor) -> BeamState:
        memory = model.encode(source, mask)
        active = torch.arange(len(source), device=source.device)
        live = torch.zeros(len(source), 1, device=source.device)
        return BeamState(active, live, source.new_full((len(source),), self.bos), model.initial_state(memory), memory)

    def _continue(self, step: Step, beams: BeamState, batch: int, length: int) -> BackPointers:
        """The best continuations of hypotheses of the given length, and the next beams: the best of those without
        EOS."""
        active = beams.active
        row = active.new_zeros(batch).index_copy(0, active, torch.arange(len(active), device=active.device))
        candidates = _candidates(self._log_probabilities(step.logits, length), beams.live, self.width)
        live, chosen = candidates.totals.masked_fill(candidates.tokens == self.eos, -math.inf).topk(self.beam)
        weights = torch.unflatten(step.weights.float(), 0, beams.live.shape) if self.settings.keep_weights else None
        return BackPointers(row, candidates, chosen, live, weights)

    def _log_probabilities(self, logits: Tensor, length: int) -> Tensor:
        """``(row, vocabulary)``, with -inf for tokens that may not follow a hypothesis of this length."""
        result = logits.float().log_softmax(-1)
        result[:, [self.pad, self.bos]] = -math.inf
        if length < self.settings.min_length:
            result[:, self.eos] = -math.inf
        return result

    def _finish(self, nbest: NBest, pointers: BackPointers, length: int, longest: Tensor) -> tuple[NBest, Tensor]:
        """The n-best after a step that made hypotheses `length` long, and which sentences ``(sentence,)`` are
        finished."""
        candidates = pointers.candidates
        # Candidates beyond the beam replace finished ones; an EOS among them would not have been in the beam either.
        ended = (candidates.tokens == self.eos)[:, : self.beam]
        order = torch.arange(ended.shape[1], device=ended.device).expand_as(ended)
        nbest = nbest.merge(self._scored(candidates.totals[:, : self.beam], order, ended, length))
        cut = length >= longest
        unfinished = (cut & nbest.scores[:, 0].isneginf())[:, None].expand_as(pointers.live)
        bound = pointers.live[:, 0] / length_penalty(longest, self.alpha)
        finished = cut | (nbest.scores[:, -1] >= bound)
        return nbest.merge(self._scored(pointers.live, pointers.chosen, unfinished, length)), finished

    def _scored(self, totals: Tensor, candidates: Tensor, included: Tensor, length: int) -> NBest:
        scores = (totals / length_penalty(length, self.alpha)).masked_fill(~included, -math.inf)
        return NBest(scores, torch.full_like(candidates, length - 1), candidates)

    def _advance(self, beams: BeamState, pointers: BackPointers, state: State, finished: Tensor) -> BeamState:
        """The chosen beams of unfinished sentences. The beams of a sentence share its memory, which changes only when
        one leaves."""
        active, live, memory, count = beams.active, pointers.live, beams.memory, beams.live.shape[1]
        first = torch.arange(0, len(active) * count, count, device=live.device)[:, None]
        parents = first + pointers.candidates.beams.gather(1, pointers.chosen)
        tokens = pointers.candidates.tokens.gather(1, pointers.chosen)
        if finished.any():
            rows = finished.logical_not().nonzero().squeeze(1)
            memory = select(memory, rows)
            active, live, parents, tokens = select((active, live, parents, tokens), rows)
            state = select(state, parents.flatten())
        elif self.beam > 1:
            state = select(state, parents.flatten())
        return BeamState(active, live, tokens.flatten(), state, memory)

    def longest(self, lengths: Tensor) -> Tensor:
        """Longest target ``(batch,)`` for source lengths, EOS counted in both; at least one token more than
        `min_length`."""
        settings = self.settings
        longest = (lengths * settings.max_ratio).long().add(settings.max_extra)
        return longest.clamp(settings.min_length + 1, settings.max_tokens)

    def _no_hypotheses(self, source: Tensor) -> NBest:
        zeros = torch.zeros(len(source), self.nbest, dtype=torch.long, device=source.device)
        return NBest(torch.full_like(zeros, -math.inf, dtype=torch.float32), zeros, zeros)

    def _trace(self, pointers: list[BackPointers], nbest: NBest) -> Trace:
        """Follows the back-pointers of all n-best hypotheses together, from the last step to the first."""
        tokens, scores, weights = [], [], []
        beam = torch.zeros_like(nbest.last)
        for index in reversed(range(len(pointers))):
            row, candidates, chosen, _, attended = pointers[index]
            row = row[:, None]
            candidate = torch.where(nbest.steps == index, nbest.last, chosen[row, beam])
            tokens.append(candidates.tokens[row, candidate])
            scores.append(candidates.scores[row, candidate])
            beam = candidates.beams[row, candidate]
            if attended is not None:
                weights.append(attended[row, beam])
        together = [torch.stack(part[::-1], 2) for part in (tokens, scores, weights) if part]
        return Trace(together[0], together[1], together[2] if weights else None)

    def _hypotheses(self, nbest: NBest, trace: Trace, mask: Tensor) -> list[list[Hypothesis]]:
        nbest = NBest(*(part.cpu() for part in nbest))
        trace = Trace(trace.tokens.cpu(), trace.scores.cpu(), None if trace.weights is None else trace.weights.cpu())
        mask = mask.cpu()
        found = nbest.scores.isfinite().sum(1).tolist()
        return [
            [self._hypothesis(nbest, trace, mask, sentence, rank) for rank in range(count)]
            for sentence, count in enumerate(found)
        ]

    def _hypothesis(self, nbest: NBest, trace: Trace, mask: Tensor, sentence: int, rank: int) -> Hypothesis:
        at = (sentence, rank, slice(int(nbest.steps[sentence, rank]) + 1))
        tokens, scores = tuple(trace.tokens[at].tolist()), tuple(trace.scores[at].tolist())
        weights = None if trace.weights is None else _real_slots(trace.weights[at], mask[sentence])
        finished = tokens[-1] == self.eos
        return Hypothesis(
            tokens[:-1] if finished else tokens,
            math.fsum(scores),
            float(nbest.scores[sentence, rank]),
            scores,
            weights,
            finished,
        )


def _candidates(log_probabilities: Tensor, live: Tensor, count: int) -> Candidates:
    """The best ``count`` continuations, from log-probabilities of tokens ``(sentence x beam, vocabulary)`` and of beams
    ``(sentence, beam)``.

    The best of each beam are found first, which leaves out nearly all of a large vocabulary. For a tiny vocabulary,
    candidates of log-probability -inf fill up the count.
    """
    sentences, beams = live.shape
    scores, tokens = _top(log_probabilities, min(count, log_probabilities.shape[1]))
    each = scores.shape[1]
    # (sentence x beam, each) -> (sentence, beam x each)
    totals = (live.flatten()[:, None] + scores).view(sentences, beams * each)
    totals, order = totals.topk(min(count, beams * each))
    tokens, scores = (part.view(sentences, beams * each).gather(1, order) for part in (tokens, scores))
    missing = (0, count - totals.shape[1])
    return Candidates(
        pad(totals, missing, value=-math.inf), pad(tokens, missing), pad(scores, missing), pad(order // each, missing)
    )


def _top(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """As `Tensor.topk` of rows, in half the time for the best few of thousands; among equal values another may be
    taken.

    The top k lie in the k blocks with the largest maxima, so only those are sorted.
    """
    rows, size = values.shape
    blocks = size // BLOCK
    if count == 1:
        return values.max(1, keepdim=True)
    if blocks < 4 * count:
        return values.topk(count)
    whole = blocks * BLOCK
    chosen = values[:, :whole].view(rows, blocks, BLOCK).amax(2).topk(count).indices
    places = (chosen.unsqueeze(2) * BLOCK + torch.arange(BLOCK, device=values.device)).flatten(1)
    rest = torch.arange(whole, size, device=values.device).expand(rows, -1)
    places = torch.cat([places, rest], 1)
    best, at = values.gather(1, places).topk(count)
    return best, places.gather(1, at)


def _real_slots(weights: Tensor, mask: Tensor) -> Tensor:
    """A copy of weights ``(target, slot)`` without padded slots; the slot of a thought vector is never padded."""
    return weights[:, mask] if weights.shape[1] == len(mask) else weights.clone()


def _expect(holds: bool, name: str, expected: str, found: object) -> None:
    if not holds:
        raise ValueError(f"{name}: expected {expected}, found {found!r}")
