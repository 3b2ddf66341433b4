"""Encoded corpora and the order in which they are trained on: batch k of epoch e is a function of (seed, e, k) and of nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from nmt.data import concatenation
from nmt.data.ragged import RaggedArray
from nmt.data.vocabulary import BOS, EOS, PAD

WINDOW = 1 << 17
"""Shuffled pairs that are sorted by length together. Within it batches hardly pad; beyond it a corpus need not be sorted as a whole."""


@dataclass(frozen=True)
class Batch:
    """Padded token ids ``(batch, source)`` and ``(batch, target)``; masks are True at real pieces.

    `previous` begins with the start piece and `expected` ends with the end piece: position i predicts expected[i] from previous[:i+1].
    """

    source: Tensor
    source_mask: Tensor
    previous: Tensor
    expected: Tensor
    target_mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device; to a GPU it goes by way of pinned memory, so that the program need not wait for it."""
        if device.type == "cpu":
            return self
        parts = (getattr(self, field.name) for field in fields(self))
        return Batch(
            *((part.pin_memory() if device.type == "cuda" else part).to(device, non_blocking=True) for part in parts)
        )


class TokenIds:
    """Sentences as token ids, in memory or in files: four bytes a piece and no Python object per sentence."""

    def __init__(self, sentences: Iterable[Sequence[int]] | RaggedArray) -> None:
        self._rows = sentences if isinstance(sentences, RaggedArray) else RaggedArray.packed(sentences)
        self.lengths = self._rows.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def distinct(self) -> np.ndarray:
        """The token ids that occur, rising."""
        seen = np.zeros(1, bool)
        for pieces, _ in self._rows.blocks():
            seen.resize(max(len(seen), int(pieces.max(initial=0)) + 1), refcheck=False)
            seen[pieces] = True
        return np.flatnonzero(seen)

    def __getitem__(self, row: int) -> list[int]:
        return self._rows[row].tolist()  # type: ignore[no-any-return]  # numpy types tolist as Any


def order(source: np.ndarray, target: np.ndarray, *, seed: int, epoch: int, batch_tokens: int) -> list[np.ndarray]:
    """The batches of one epoch as rows of the corpus, for the lengths in pieces of both sides.

    The corpus is shuffled, sorted by length within windows (pairs of one length keep their shuffled order), cut where the padded positions
    of the longer side would pass ``batch_tokens``, and the batches are shuffled. A longer sentence than that is a batch of its own.
    """
    generator = np.random.default_rng([seed, epoch])
    shuffled = generator.permutation(len(source))
    widths = np.maximum(source, target) + 1  # the end piece
    batches: list[np.ndarray] = []
    for start in range(0, len(shuffled), WINDOW):
        window = shuffled[start : start + WINDOW]
        window = window[np.lexsort((source[window], target[window], widths[window]))]
        batches += _cut(window, widths[window], batch_tokens)
    return [batches[place] for place in generator.permutation(len(batches))]


def _cut(rows: np.ndarray, widths: np.ndarray, batch_tokens: int) -> list[np.ndarray]:
    """Cuts rows of rising width into batches of at most ``batch_tokens`` padded positions."""
    batches, start, each = [], 0, widths.tolist()
    for end in range(1, len(rows) + 1):
        if end == len(rows) or (end + 1 - start) * each[end] > batch_tokens:
            batches.append(rows[start:end])
            start = end
    return batches


def collate(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Batch:
    """Pieces of both sides, without control pieces, as one padded batch."""
    source, source_mask = pad([[*pieces, EOS] for pieces in sources])
    previous, target_mask = pad([[BOS, *pieces] for pieces in targets])
    expected, _ = pad([[*pieces, EOS] for pieces in targets])
    return Batch(source, source_mask, previous, expected, target_mask)


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids ``(batch, time)`` padded on the right, and the mask of the real ones."""
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
    tokens = torch.full(mask.shape, PAD)
    tokens[mask] = torch.tensor([piece for row in rows for piece in row])
    return tokens, mask


Draw = Callable[[int, random.Random], Sequence[int]]
"""Gives the pieces of a sentence, by row, possibly drawn at random from the generator."""


class Batches:
    """The batches of training, by epoch and number. Holds the order of one epoch at a time.

    With ``pack`` above 1 an example is not a row of the corpus but several, drawn afresh in each epoch and joined: since no piece reaches
    over a space, the pieces of joined sentences are the sentences' pieces in a row. The largest pack grows to that over the first
    ``growth`` epochs.
    """

    def __init__(
        self,
        source: TokenIds,
        target: TokenIds,
        *,
        seed: int,
        batch_tokens: int,
        pack: int = 1,
        growth: int = 0,
        sample: tuple[Draw, Draw] | None = None,
    ) -> None:
        self.sides, self.seed, self.batch_tokens, self.sample = (source, target), seed, batch_tokens, sample
        self.pack, self.growth = pack, growth
        self._epoch, self._order = -1, [np.arange(0)]
        self._packs: RaggedArray | None = None

    def count(self, epoch: int) -> int:
        """Batches in an epoch."""
        self._turn_to(epoch)
        return len(self._order)

    def lengths(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Pieces in each example of an epoch, of source and target, end pieces not counted."""
        self._turn_to(epoch)
        source, target = (
            side.lengths if self._packs is None else _sums(side.lengths, self._packs) for side in self.sides
        )
        return source, target

    def batch(self, epoch: int, number: int) -> Batch:
        """Batch ``number`` of an epoch."""
        self._turn_to(epoch)
        examples = [self._rows(example) for example in self._order[number].tolist()]
        source, target = (
            [[piece for row in rows for piece in self._pieces(side, row, epoch, number)] for rows in examples]
            for side in (0, 1)
        )
        return collate(source, target)

    def _rows(self, example: int) -> list[int]:
        return [example] if self._packs is None else self._packs[example].tolist()

    def _pieces(self, side: int, row: int, epoch: int, number: int) -> Sequence[int]:
        if self.sample is None:
            return self.sides[side][row]
        return self.sample[side](row, random.Random(f"{self.seed} {epoch} {number} {row} {side}"))

    def _turn_to(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._epoch = epoch
            most = concatenation.most(epoch, self.pack, self.growth)
            self._packs = (
                concatenation.drawn(len(self.sides[0]), most, [self.seed, epoch, self.pack]) if most > 1 else None
            )
            self._order = order(*self.lengths(epoch), seed=self.seed, epoch=epoch, batch_tokens=self.batch_tokens)


def _sums(lengths: np.ndarray, packed: RaggedArray) -> np.ndarray:
    """Lengths of packs from those of their sentences."""
    return np.add.reduceat(lengths[packed.items[:]], packed.starts[:-1])
