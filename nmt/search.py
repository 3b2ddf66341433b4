"""Greedy and beam search, written against the three verbs of a model; greedy search is the beam of one.

A search keeps its books in tensors: every step leaves a `BackPointers` behind, and the hypotheses are read backwards from these once, at the
end. Finished sentences leave the batch, and no sentence sees another's scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor
from torch.nn.functional import pad

from nmt.models.protocol import DecodingProtocol, State, Step, select

BLOCK = 64
"""Pieces of the vocabulary that are looked at together to find the best."""


@dataclass(frozen=True)
class Hypothesis:
    """One translation that search found."""

    tokens: tuple[int, ...]
    """Token ids, without the begin and the end of the sentence."""
    log_probability: float
    """Sum of `token_scores`."""
    score: float
    """Log-probability after the length penalty."""
    token_scores: tuple[float, ...]
    """Log-probability of every piece; of the end too, when it is finished. Empty where an engine tells only their sum."""
    weights: Tensor | None = field(compare=False, default=None)
    """``(target, slot)``: a row for each of `token_scores`, and only the slots of real source pieces. None unless search keeps weights."""
    finished: bool = True
    """False when it was cut at the longest length allowed."""


@overload
def length_penalty(length: int, alpha: float) -> float: ...
@overload
def length_penalty(length: Tensor, alpha: float) -> Tensor: ...
def length_penalty(length: int | Tensor, alpha: float) -> float | Tensor:
    """What divides a log-probability: ((5 + length) / 6) ^ alpha (Wu et al. 2016, arXiv:1609.08144, equation 14).

    The length counts the end of the sentence, since its probability is a factor like the others.
    """
    result: float | Tensor = ((5 + length) / 6) ** alpha
    return result


class Candidates(NamedTuple):
    """The best continuations of a sentence's beams, best first; every tensor is ``(sentence, candidate)``."""

    totals: Tensor
    """Log-probability of the whole; -inf where there is no such continuation."""
    tokens: Tensor
    scores: Tensor
    """Log-probability of the token alone."""
    beams: Tensor
    """The beam that is continued."""


class BackPointers(NamedTuple):
    """What one step leaves behind. Rows are the sentences that were active then."""

    row: Tensor
    """``(batch,)``: the row of each sentence, 0 for those that had left."""
    candidates: Candidates
    chosen: Tensor
    """``(sentence, beam)``: the candidate that became each beam of the next step."""
    live: Tensor
    """``(sentence, beam)``: its log-probability, -inf where there are fewer live hypotheses than beams."""
    weights: Tensor | None
    """``(sentence, beam, slot)``, of the beams before the step."""


class BeamState(NamedTuple):
    """What the next step starts from."""

    active: Tensor
    """``(sentence,)``: the sentences of the batch that are not done."""
    live: Tensor
    """``(sentence, beam)``: log-probabilities, best first. At the start all beams are the same, so there is one."""
    previous: Tensor
    """``(sentence x beam,)``: token ids."""
    state: State
    memory: Any


class NBest(NamedTuple):
    """Hypotheses to be given, best first; every tensor is ``(sentence, n-best)``, with score -inf where there is none yet."""

    scores: Tensor
    steps: Tensor
    """The step of the last piece."""
    last: Tensor
    """The candidate at that step."""

    def best_with(self, others: NBest) -> NBest:
        """As many as before, of these and the others."""
        together = NBest(*(torch.cat(pair, 1) for pair in zip(self, others, strict=True)))
        order = together.scores.topk(self.scores.shape[1]).indices
        return NBest(*(part.gather(1, order) for part in together))


class Trace(NamedTuple):
    """Kept hypotheses, piece by piece: ``(batch, n-best, target)``, the weights ``(batch, n-best, target, slot)``."""

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
        _expect(self.beam >= 1, "beam", "an integer of at least 1", self.beam)
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

    def as_json(self) -> dict[str, int | float]:
        """The settings that decide the best translation, as they stand beside scores."""
        named = ("beam", "length_penalty", "min_length", "max_ratio", "max_extra")
        return {name: getattr(self, name) for name in named}


class BeamSearch:
    """Finds the translations of a batch that a model finds most probable.

    Twice as many candidates as beams are kept, so that ended hypotheses leave room for live ones. A sentence is done when it has `nbest`
    finished hypotheses and no live one can still overtake the last of them: a log-probability only falls, and the penalty can at most
    grow to that of the longest length. With one beam there is one path, which takes the most probable piece and ends when that is the end.
    """

    def __init__(self, settings: SearchSettings, *, bos: int, eos: int, pad: int) -> None:
        self.settings, self.bos, self.eos, self.pad = settings, bos, eos, pad
        self.beam, self.nbest, self.alpha = settings.beam, settings.nbest, settings.length_penalty
        self.width = 2 * self.beam if self.beam > 1 else 1

    @torch.inference_mode()
    def __call__(self, model: DecodingProtocol, source: Tensor, mask: Tensor) -> list[list[Hypothesis]]:
        """At most `nbest` different hypotheses for each row of source ids ``(batch, source)``, best first.

        ``mask`` is True where a source piece is real. A hypothesis that never ended is given only where none did.
        """
        if not len(source):
            return []
        positions, kept = self._run(model, source, mask)
        if not kept.scores[:, 0].isfinite().all():
            raise FloatingPointError(
                "search: no continuation has a finite score; the weights of the model are probably not numbers"
            )
        return self._hypotheses(kept, self._trace(positions, kept), mask)

    def _run(self, model: DecodingProtocol, source: Tensor, mask: Tensor) -> tuple[list[BackPointers], NBest]:
        frontier = self._start(model, source, mask)
        longest = self.longest(mask.sum(1))
        kept = self._nothing(source)
        positions: list[BackPointers] = []
        while len(frontier.active):
            step = model.step(frontier.previous, frontier.state, frontier.memory)
            positions.append(self._position(step, frontier, len(source), len(positions)))
            best, done = self._judge(
                select(kept, frontier.active), positions[-1], len(positions), longest[frontier.active]
            )
            kept = NBest(*(old.index_copy(0, frontier.active, new) for old, new in zip(kept, best, strict=True)))
            frontier = self._advance(frontier, positions[-1], step.state, done)
        return positions, kept

    def _start(self, model: DecodingProtocol, source: Tensor, mask: Tensor) -> BeamState:
        memory = model.encode(source, mask)
        active = torch.arange(len(source), device=source.device)
        live = torch.zeros(len(source), 1, device=source.device)
        return BeamState(active, live, source.new_full((len(source),), self.bos), model.initial_state(memory), memory)

    def _position(self, step: Step, frontier: BeamState, batch: int, length: int) -> BackPointers:
        """Ranks the continuations of hypotheses of the given length, and chooses the next beams among those that did not end."""
        active = frontier.active
        row = active.new_zeros(batch).index_copy(0, active, torch.arange(len(active), device=active.device))
        candidates = _best(self._log_probabilities(step.logits, length), frontier.live, self.width)
        live, chosen = candidates.totals.masked_fill(candidates.tokens == self.eos, -math.inf).topk(self.beam)
        weights = torch.unflatten(step.weights.float(), 0, frontier.live.shape) if self.settings.keep_weights else None
        return BackPointers(row, candidates, chosen, live, weights)

    def _log_probabilities(self, logits: Tensor, length: int) -> Tensor:
        """``(row, vocabulary)``, with -inf for what may not follow a hypothesis of this length."""
        result = logits.float().log_softmax(-1)
        result[:, [self.pad, self.bos]] = -math.inf
        if length < self.settings.min_length:
            result[:, self.eos] = -math.inf
        return result

    def _judge(self, kept: NBest, position: BackPointers, length: int, longest: Tensor) -> tuple[NBest, Tensor]:
        """The best hypotheses after a step, which made them `length` long, and which sentences ``(sentence,)`` are done."""
        candidates = position.candidates
        # Candidates beyond the beam are there to replace ended ones; an end among them would not have been in the beam either.
        ended = (candidates.tokens == self.eos)[:, : self.beam]
        order = torch.arange(ended.shape[1], device=ended.device).expand_as(ended)
        kept = kept.best_with(self._hold(candidates.totals[:, : self.beam], order, ended, length))
        cut = length >= longest
        unfinished = (cut & kept.scores[:, 0].isneginf())[:, None].expand_as(position.live)
        bound = position.live[:, 0] / length_penalty(longest, self.alpha)
        done = cut | (kept.scores[:, -1] >= bound)
        return kept.best_with(self._hold(position.live, position.chosen, unfinished, length)), done

    def _hold(self, totals: Tensor, candidates: Tensor, which: Tensor, length: int) -> NBest:
        scores = (totals / length_penalty(length, self.alpha)).masked_fill(~which, -math.inf)
        return NBest(scores, torch.full_like(candidates, length - 1), candidates)

    def _advance(self, frontier: BeamState, position: BackPointers, state: State, done: Tensor) -> BeamState:
        """Follows the chosen beams. Memory is the same for all beams of a sentence, so it changes only when a sentence leaves."""
        active, live, memory, beams = frontier.active, position.live, frontier.memory, frontier.live.shape[1]
        first = torch.arange(0, len(active) * beams, beams, device=live.device)[:, None]
        parents = first + position.candidates.beams.gather(1, position.chosen)
        tokens = position.candidates.tokens.gather(1, position.chosen)
        if done.any():
            stay = done.logical_not().nonzero().squeeze(1)
            memory = select(memory, stay)
            active, live, parents, tokens = select((active, live, parents, tokens), stay)
            state = select(state, parents.flatten())
        elif self.beam > 1:
            state = select(state, parents.flatten())
        return BeamState(active, live, tokens.flatten(), state, memory)

    def longest(self, lengths: Tensor) -> Tensor:
        """Most pieces of a target ``(batch,)`` for those of its source, both with their end; at least one more than the fewest."""
        return (
            (lengths * self.settings.max_ratio)
            .long()
            .add(self.settings.max_extra)
            .clamp(self.settings.min_length + 1, self.settings.max_tokens)
        )

    def _nothing(self, source: Tensor) -> NBest:
        zeros = torch.zeros(len(source), self.nbest, dtype=torch.long, device=source.device)
        return NBest(torch.full_like(zeros, -math.inf, dtype=torch.float32), zeros, zeros)

    def _trace(self, positions: list[BackPointers], kept: NBest) -> Trace:
        """Reads all kept hypotheses backwards together. What stands beyond the end of one is arbitrary."""
        tokens, scores, weights = [], [], []
        beam = torch.zeros_like(kept.last)
        for index in reversed(range(len(positions))):
            row, candidates, chosen, _, attended = positions[index]
            row = row[:, None]
            candidate = torch.where(kept.steps == index, kept.last, chosen[row, beam])
            tokens.append(candidates.tokens[row, candidate])
            scores.append(candidates.scores[row, candidate])
            beam = candidates.beams[row, candidate]
            if attended is not None:
                weights.append(attended[row, beam])
        together = [torch.stack(part[::-1], 2) for part in (tokens, scores, weights) if part]
        return Trace(together[0], together[1], together[2] if weights else None)

    def _hypotheses(self, kept: NBest, trace: Trace, mask: Tensor) -> list[list[Hypothesis]]:
        kept = NBest(*(part.cpu() for part in kept))
        trace = Trace(trace.tokens.cpu(), trace.scores.cpu(), None if trace.weights is None else trace.weights.cpu())
        mask = mask.cpu()
        found = kept.scores.isfinite().sum(1).tolist()
        return [
            [self._hypothesis(kept, trace, mask, sentence, rank) for rank in range(count)]
            for sentence, count in enumerate(found)
        ]

    def _hypothesis(self, kept: NBest, trace: Trace, mask: Tensor, sentence: int, rank: int) -> Hypothesis:
        at = (sentence, rank, slice(int(kept.steps[sentence, rank]) + 1))
        tokens, scores = tuple(trace.tokens[at].tolist()), tuple(trace.scores[at].tolist())
        weights = None if trace.weights is None else _real_slots(trace.weights[at], mask[sentence])
        finished = tokens[-1] == self.eos
        return Hypothesis(
            tokens[:-1] if finished else tokens,
            math.fsum(scores),
            float(kept.scores[sentence, rank]),
            scores,
            weights,
            finished,
        )


def _best(log_probabilities: Tensor, live: Tensor, count: int) -> Candidates:
    """The best continuations, given log-probabilities ``(sentence x beam, vocabulary)`` and those of the beams ``(sentence, beam)``.

    Each beam's own best come first: of a large vocabulary nearly all is then left out by one pass. There are always ``count`` of them: of a
    tiny vocabulary some that have no probability.
    """
    sentences, beams = live.shape
    scores, tokens = _top(log_probabilities, min(count, log_probabilities.shape[1]))
    each = scores.shape[1]
    totals = (live.flatten()[:, None] + scores).view(
        sentences, beams * each
    )  # (sentence x beam, each) -> (sentence, beam x each)
    totals, order = totals.topk(min(count, beams * each))
    tokens, scores = (part.view(sentences, beams * each).gather(1, order) for part in (tokens, scores))
    missing = (0, count - totals.shape[1])
    return Candidates(
        pad(totals, missing, value=-math.inf), pad(tokens, missing), pad(scores, missing), pad(order // each, missing)
    )


def _top(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """As `Tensor.topk` of rows, in half the time for the best few of thousands: the best of a row stand in those of its blocks whose best are
    the best. Among equals another may be taken."""
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
    """A copy of weights ``(target, slot)`` without the padding; a thought vector's slot is always real."""
    return weights[:, mask] if weights.shape[1] == len(mask) else weights.clone()


def _expect(holds: bool, name: str, expected: str, found: object) -> None:
    if not holds:
        raise ValueError(f"{name}: expected {expected}, found {found!r}")
