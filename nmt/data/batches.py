"""Token ids, padding, and the batches of training: batch k of epoch e is a function of (seed, e, k) alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from nmt.data import concatenation
from nmt.data.ragged import RaggedArray
from nmt.data.vocabulary import BOS, EOS, PAD

WINDOW = 1 << 17
"""Shuffled pairs that are sorted by length together: many enough for little padding, few enough for any corpus."""


@dataclass(frozen=True)
class Batch:
    """Padded token ids ``(batch, source)`` and ``(batch, target)``; masks are True at real tokens.

    `previous` begins with BOS and `expected` ends with EOS: position i predicts expected[i] from previous[:i+1].
    """

    source: Tensor
    source_mask: Tensor
    previous: Tensor
    expected: Tensor
    target_mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch on a device; copied to a GPU from pinned memory, without waiting for the copy."""
        if device.type == "cpu":
            return self
        tensors = (getattr(self, field.name) for field in fields(self))
        pinned = (tensor.pin_memory() if device.type == "cuda" else tensor for tensor in tensors)
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in pinned))


class TokenIds:
    """Sentences as token ids in a ragged array, in memory or in files."""

    def __init__(self, sentences: Iterable[Sequence[int]] | RaggedArray) -> None:
        self._rows = sentences if isinstance(sentences, RaggedArray) else RaggedArray.from_rows(sentences)
        self.lengths = self._rows.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def distinct(self) -> np.ndarray:
        """The token ids that occur, in ascending order."""
        seen = np.zeros(1, bool)
        for tokens, _ in self._rows.blocks():
            seen.resize(max(len(seen), int(tokens.max(initial=0)) + 1), refcheck=False)
            seen[tokens] = True
        return np.flatnonzero(seen)

    def __getitem__(self, row: int) -> list[int]:
        return self._rows[row].tolist()  # type: ignore[no-any-return]  # numpy types tolist as Any


def order(source: np.ndarray, target: np.ndarray, *, seed: int, epoch: int, batch_tokens: int) -> list[np.ndarray]:
    """The batches of one epoch as rows of the corpus, for the lengths in tokens of both sides.

    The corpus is shuffled, sorted by length within windows (stably), cut where the padded positions of the longer side
    would exceed ``batch_tokens``, and the batches are shuffled. A pair that exceeds it alone is left out: attention
    takes memory by the square of a length, and words do not limit text without spaces.
    """
    generator = np.random.default_rng([seed, epoch])
    shuffled = generator.permutation(len(source))
    widths = _widths(source, target)
    shuffled = shuffled[widths[shuffled] <= batch_tokens]
    batches: list[np.ndarray] = []
    for start in range(0, len(shuffled), WINDOW):
        window = shuffled[start : start + WINDOW]
        window = window[np.lexsort((source[window], target[window], widths[window]))]
        batches += _cut(window, widths[window], batch_tokens)
    return [batches[place] for place in generator.permutation(len(batches))]


def _widths(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Positions of the longer side of each pair, with EOS."""
    return np.maximum(source, target) + 1  # type: ignore[no-any-return]  # numpy types it as Any


def _cut(rows: np.ndarray, widths: np.ndarray, batch_tokens: int) -> list[np.ndarray]:
    """Cuts rows of ascending width into batches of at most ``batch_tokens`` padded positions."""
    batches, start, each = [], 0, widths.tolist()
    for end in range(1, len(rows) + 1):
        if end == len(rows) or (end + 1 - start) * each[end] > batch_tokens:
            batches.append(rows[start:end])
            start = end
    return batches


def collate(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Batch:
    """One padded batch of token ids, which are given without BOS and EOS."""
    source, source_mask = pad([[*tokens, EOS] for tokens in sources])
    previous, target_mask = pad([[BOS, *tokens] for tokens in targets])
    expected, _ = pad([[*tokens, EOS] for tokens in targets])
    return Batch(source, source_mask, previous, expected, target_mask)


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids ``(batch, time)`` padded on the right, and their mask, True at real tokens."""
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
    padded = torch.full(mask.shape, PAD)
    padded[mask] = torch.tensor([token for row in rows for token in row])
    return padded, mask


Draw = Callable[[int, random.Random], Sequence[int]]
"""Gives the token ids of a sentence, by row; the segmentation may be drawn from the generator."""


class Batches:
    """The batches of training, by epoch and number. Holds the order of one epoch at a time.

    With ``most_sentences`` above 1 an example concatenates 1 to that many sentences, grouped anew in every epoch. No
    token spans a space, so the tokens of concatenated sentences are the concatenated tokens of the sentences. The
    largest group grows evenly to ``most_sentences`` over the first ``growth`` epochs.
    """

    def __init__(
        self,
        source: TokenIds,
        target: TokenIds,
        *,
        seed: int,
        batch_tokens: int,
        most_sentences: int = 1,
        growth: int = 0,
        sample: tuple[Draw, Draw] | None = None,
    ) -> None:
        self.sides, self.seed, self.batch_tokens, self.sample = (source, target), seed, batch_tokens, sample
        self.most_sentences, self.growth = most_sentences, growth
        self._epoch, self._order = -1, [np.arange(0)]
        self._groups: RaggedArray | None = None

    def count(self, epoch: int) -> int:
        """Batches in an epoch."""
        self._turn_to(epoch)
        return len(self._order)

    def lengths(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of each example in the batches of an epoch, source and target, without EOS."""
        source, target = self._lengths(epoch)
        fits = _widths(source, target) <= self.batch_tokens
        return source[fits], target[fits]

    def left_out(self, epoch: int) -> int:
        """Examples of an epoch that are longer than a batch may be."""
        return len(self._lengths(epoch)[0]) - len(self.lengths(epoch)[0])

    def _lengths(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        self._turn_to(epoch)
        source, target = (side.lengths for side in self.sides)
        if self._groups is None:
            return source, target
        rows, first = self._groups.values[:], self._groups.offsets[:-1]
        return np.add.reduceat(source[rows], first), np.add.reduceat(target[rows], first)

    def batch(self, epoch: int, number: int) -> Batch:
        """Batch ``number`` of an epoch."""
        self._turn_to(epoch)
        examples = [self._rows(example) for example in self._order[number].tolist()]
        source, target = (
            [[token for row in rows for token in self._tokens(side, row, epoch, number)] for rows in examples]
            for side in (0, 1)
        )
        return collate(source, target)

    def _rows(self, example: int) -> list[int]:
        return [example] if self._groups is None else self._groups[example].tolist()

    def _tokens(self, side: int, row: int, epoch: int, number: int) -> Sequence[int]:
        if self.sample is None:
            return self.sides[side][row]
        return self.sample[side](row, random.Random(f"{self.seed} {epoch} {number} {row} {side}"))

    def _turn_to(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        self._epoch, self._groups = epoch, None
        most = concatenation.largest_group(epoch, self.most_sentences, self.growth)
        if most > 1:
            seed = [self.seed, epoch, self.most_sentences]
            self._groups = concatenation.random_groups(len(self.sides[0]), most, seed)
        self._order = order(*self._lengths(epoch), seed=self.seed, epoch=epoch, batch_tokens=self.batch_tokens)


class Prefetcher:
    """`Batches` in which the next ones are made ahead, one per thread; with 0 threads each is made on request.

    A batch is a function of its epoch and number, so batches are the same with any number of threads.
    """

    def __init__(self, batches: Batches, threads: int = 0) -> None:
        self.batches, self.threads = batches, threads
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="batches")
        self._pending: dict[tuple[int, int], Future[Batch]] = {}

    def count(self, epoch: int) -> int:
        """Batches in an epoch. Waits for pending ones of others, since `Batches` holds the order of one at a time."""
        for each in [key for key in self._pending if key[0] != epoch]:
            self._pending.pop(each).result()
        return self.batches.count(epoch)

    def batch(self, epoch: int, number: int) -> Batch:
        """Batch ``number`` of an epoch; also starts making the next ones."""
        if not self.threads:
            return self.batches.batch(epoch, number)
        for ahead in range(number, min(number + self.threads + 1, self.count(epoch))):
            if (epoch, ahead) not in self._pending:
                self._pending[epoch, ahead] = self._pool.submit(self.batches.batch, epoch, ahead)
        return self._pending.pop((epoch, number)).result()
