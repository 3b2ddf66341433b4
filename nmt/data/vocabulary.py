"""The SentencePiece vocabulary: text to token ids and back.

Byte fallback covers any Unicode. The normalization of SentencePiece is off: its NFKC rules turn "m²" into "m2" and "①"
into "1", which a translation cannot undo. Text is normalized to NFC, and white space to single spaces.
"""

from __future__ import annotations

import io
import math
import random
import re
import sys
import unicodedata
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from nmt import printable
from nmt.data.pairs import Texts
from nmt.errors import RunError, UserError
from nmt.text.stand_ins import STAND_INS

PAD, UNK, BOS, EOS = range(4)
CANDIDATES = 16
MAX_LINES = 2_000_000
"""Lines that a vocabulary is learned from; of more, every n-th is used."""
MAX_BYTES = 40_000_000
"""The same in bytes, for text in files: SentencePiece takes about twenty bytes of memory per character for unigrams."""


def line_step(*sides: Sequence[str]) -> int:
    """The n of which every n-th line is used."""
    stored = sum(side.bytes for side in sides if isinstance(side, Texts))
    return max(1, math.ceil(sum(map(len, sides)) / MAX_LINES), math.ceil(stored / MAX_BYTES))


def train(*sides: Sequence[str], type: str, size: int, exact: bool = True, stand_ins: bool = False) -> bytes:
    """A SentencePiece model of the lines of all sides, as the bytes of its file; the same lines give the same bytes.

    Text too small for ``size`` pieces raises `UserError`, or, unless ``exact``, gives a smaller model (unigram only).
    With ``stand_ins`` each of `nmt.text.stand_ins` is one piece.
    """
    import sentencepiece

    chosen = islice(chain(*sides), 0, None, line_step(*sides))
    sentences = (text for text in map(normalized, chosen) if text)
    first = next(sentences, None)
    if first is None:
        raise UserError("vocabulary: there is no text to learn it from; the training split is empty")
    symbols: dict[str, Any] = {"user_defined_symbols": list(STAND_INS)} if stand_ins else {}
    # an empty list would change the bytes of the model
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=chain([first], sentences),
            model_writer=model,
            model_type=type,
            vocab_size=size,
            hard_vocab_limit=exact,
            byte_fallback=True,
            character_coverage=1.0,
            normalization_rule_name="identity",
            num_threads=1,  # the model depends on the number of threads
            minloglevel=2,
            pad_id=PAD,
            unk_id=UNK,
            bos_id=BOS,
            eos_id=EOS,
            **symbols,
        )
    except RuntimeError as error:
        raise _training_error(str(error), size) from error
    return model.getvalue()


def normalized(text: str) -> str:
    """NFC, with single spaces for any white space and U+FFFD for half a surrogate pair."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(unicodedata.normalize("NFC", whole).split())


class Vocabulary:
    """A trained SentencePiece model; ids 0 to 3 are padding, unknown, begin `<s>` and end `</s>`, and no text is ever
    encoded to them."""

    def __init__(self, model: bytes) -> None:
        import sentencepiece

        self.model = model
        self._pieces = sentencepiece.SentencePieceProcessor()
        try:
            self._pieces.LoadFromSerializedProto(model)
        except RuntimeError as error:
            raise UserError("vocabulary: not a SentencePiece model, or a damaged one") from error
        ids = [getattr(self._pieces, f"{name}_id")() for name in ("pad", "unk", "bos", "eos")]
        if ids != [PAD, UNK, BOS, EOS] or len(self) <= EOS:
            raise UserError(
                "vocabulary: expected ids 0, 1, 2, 3 for padding, unknown, begin and end, "
                f"found {', '.join(map(str, ids))}"
            )
        if len(self) > sys.maxunicode:
            raise UserError(f"vocabulary: expected at most {sys.maxunicode:,} pieces, found {len(self):,}")
        try:
            self.pieces(range(len(self)))
        except UnicodeDecodeError as error:
            raise UserError("vocabulary: it has a piece that is not UTF-8") from error

    @classmethod
    def from_file(cls, path: Path) -> Vocabulary:
        """The vocabulary of a run folder."""
        try:
            return cls(path.read_bytes())
        except (FileNotFoundError, UserError) as error:
            found = "none" if isinstance(error, OSError) else "something else"
            raise UserError(f"{path}: expected a SentencePiece model, found {found}") from error
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from error

    def __len__(self) -> int:
        return int(self._pieces.GetPieceSize())

    def encode(self, text: str) -> list[int]:
        """The best segmentation, without begin and end."""
        return list(self._pieces.EncodeAsIds(normalized(text)))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, always one line without control characters; ids 0 to 3 are skipped."""
        text = self._pieces.DecodeIds([id for id in ids if id > EOS])
        return " ".join(printable.without_controls(normalized(text)).split())

    @property
    def bytes(self) -> frozenset[int]:
        """The token ids of single bytes, which spell characters that the training text does not have."""
        return frozenset(id for id in range(len(self)) if self._pieces.IsByte(id))

    @property
    def has_stand_ins(self) -> bool:
        """Whether each of `nmt.text.stand_ins` is one piece."""
        return all(self._pieces.PieceToId(name) != UNK for name in STAND_INS)

    def piece(self, id: int) -> str:
        """The piece of a token id, such as `▁Hund`."""
        return str(self._pieces.IdToPiece(id))

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The pieces of token ids."""
        found: list[str] = self._pieces.IdToPiece(list(ids))
        return found

    def segmentations(self, text: str, count: int = CANDIDATES) -> list[tuple[list[int], float]]:
        """The best segmentations of a text, best first, with their log-probabilities under the unigram model.

        Byte tokens count as 0: they are the same in every segmentation of a text.
        """
        try:
            found = self._pieces.NBestEncodeAsIds(normalized(text), count)
        except RuntimeError as error:
            raise UserError(
                "vocabulary.sampling: only a vocabulary of type unigram can be sampled from; expected 0"
            ) from error
        return [(list(ids), sum(map(self._pieces.GetScore, ids))) for ids in found]

    def sample(self, text: str, alpha: float, draw: random.Random) -> list[int]:
        """One of the best segmentations, drawn with probability proportional to p^alpha (Kudo 2018, arXiv:1804.10959,
        section 3.2).

        SentencePiece can sample, too, but the state of its generator cannot be saved with a run.
        """
        return drawn(self.segmentations(text), alpha, draw)


def drawn(segmentations: Sequence[tuple[list[int], float]], alpha: float, draw: random.Random) -> list[int]:
    """One of the segmentations, with probability proportional to p^alpha."""
    best = segmentations[0][1]
    weights = [math.exp(alpha * (score - best)) for _, score in segmentations]
    return draw.choices([ids for ids, _ in segmentations], weights)[0]


def _training_error(message: str, size: int) -> Exception:
    """The error of training in plain words, from a message of SentencePiece about its source code."""
    if largest := re.search(r"value <= (\d+)", message):
        return UserError(
            f"vocabulary.size: {size} pieces are more than this training data gives; expected at most {largest[1]}"
        )
    if smallest := re.search(r"smaller than required_chars\. \d+ vs (\d+)", message):
        return UserError(
            f"vocabulary.size: {size} pieces cannot hold the bytes, the control pieces and every character of the "
            f"training data; expected at least {smallest[1]}"
        )
    if "sentences_.empty()" in message:
        return UserError("vocabulary: no training sentence is short enough to learn from; expected one sentence a line")
    return RunError(f"vocabulary: SentencePiece failed: {message}")
