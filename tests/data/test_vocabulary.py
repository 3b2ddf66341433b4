from __future__ import annotations

import random
from collections import Counter
from math import exp
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given, strategies as st

from nmt.data.vocabulary import BOS, EOS, PAD, UNK, Vocabulary, drawn, normalized, train
from nmt.errors import UserError
from nmt.printable import without_controls
from nmt.text.stand_ins import STAND_INS
from tools.checks.pieces import with_pieces

WHO = ("Ein Hund", "Eine Katze", "Der Mann", "Die Frau", "Ein Kind", "Der Nachbar")
DOES = ("läuft", "schläft", "lacht", "singt", "wartet", "arbeitet")
HOW = ("gern", "laut", "heute", "morgen", "im Garten", "auf der Straße")
LINES = [f"{who} {does} {how}." for who in WHO for does in DOES for how in HOW]
SIZE = 305
UNIGRAM = Vocabulary(train(LINES, type="unigram", size=SIZE))


def test_training_twice_gives_the_same_bytes() -> None:
    assert train(LINES, type="unigram", size=SIZE) == UNIGRAM.model


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_the_vocabulary_has_the_size_asked_for_and_begins_with_the_control_pieces(kind: str) -> None:
    vocabulary = Vocabulary(train(LINES, type=kind, size=SIZE))
    assert len(vocabulary) == SIZE
    assert vocabulary.pieces([PAD, UNK, BOS, EOS]) == ["<pad>", "<unk>", "<s>", "</s>"]


TRICKY = [
    "🤖👩\u200d👩\u200d👧 läuft",
    "مرحبا بالعالم",
    "a\0b",
    "</s> <s> <unk> <pad>",
    "½ m² ﬁ ①",
    "e\u0301 \uff11",
    "\ufeffa\u200b",
    "<0x41>",
    "x" * 5000,
]


@pytest.mark.parametrize("text", TRICKY)
def test_any_unicode_comes_back_but_control_characters(text: str) -> None:
    assert UNIGRAM.decode(UNIGRAM.encode(text)) == without_controls(normalized(text))


@given(st.text(st.characters(codec=None)))
def test_any_text_at_all_comes_back_normalized_without_control_ids_and_control_characters(text: str) -> None:
    ids = UNIGRAM.encode(text)
    assert min(ids, default=EOS + 1) > EOS
    # SentencePiece writes spaces as ▁ and cannot tell one typed by a user from its own.
    assert UNIGRAM.decode(ids) == " ".join(without_controls(normalized(text.replace("▁", " "))).split())


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\r\nb", " a  b ", "a\u00a0b", "a\u2028b", "a\x85b"])
def test_white_space_of_any_kind_is_a_space(text: str) -> None:
    assert UNIGRAM.encode(text) == UNIGRAM.encode("a b")


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert UNIGRAM.decode(UNIGRAM.encode("Hund \ud83d")) == "Hund \ufffd"


def test_bytes_that_spell_line_breaks_do_not_break_the_line() -> None:
    spelled = {UNIGRAM.piece(id): id for id in range(len(UNIGRAM))}
    breaks = "a\nb\rc\vd\fe\x1cf\x85g\u2028h\u2029i"
    ids = [spelled[f"<0x{byte:02X}>"] for byte in breaks.encode()]
    assert UNIGRAM.decode(ids) == "a b c d e f g h i"


def test_control_ids_are_skipped() -> None:
    ids = UNIGRAM.encode("Ein Hund")
    assert UNIGRAM.decode([BOS, *ids, UNK, EOS, PAD, PAD]) == "Ein Hund"
    assert UNIGRAM.decode([]) == ""


def test_every_segmentation_spells_the_text_and_the_best_is_the_encoding() -> None:
    segmentations = UNIGRAM.segmentations("Der Nachbar arbeitet heute im Garten 🤖.")
    scores = [score for _, score in segmentations]
    assert segmentations[0][0] == UNIGRAM.encode("Der Nachbar arbeitet heute im Garten 🤖.")
    assert {UNIGRAM.decode(ids) for ids, _ in segmentations} == {"Der Nachbar arbeitet heute im Garten 🤖."}
    assert len({tuple(ids) for ids, _ in segmentations}) == len(segmentations) == 16
    assert scores == pytest.approx(sorted(scores, reverse=True))


def test_sampling_depends_on_its_arguments_alone() -> None:
    alone = [UNIGRAM.sample("Der Mann läuft laut.", 0.2, random.Random(seed)) for seed in range(20)]
    again = [UNIGRAM.sample("Der Mann läuft laut.", 0.2, random.Random(seed)) for seed in reversed(range(20))]
    assert alone == again[::-1]
    assert len(set(map(tuple, alone))) > 1


def test_segmentations_are_drawn_as_often_as_their_power_says() -> None:
    segmentations, alpha, draw = [([4], -1.0), ([5], -2.0), ([6], -4.0)], 0.5, random.Random(1)
    counts = Counter(drawn(segmentations, alpha, draw)[0] for _ in range(4000))
    total = sum(exp(alpha * score) for _, score in segmentations)
    for ids, score in segmentations:
        # 4 standard errors of a share of 4,000 draws are at most 0.032
        assert counts[ids[0]] / 4000 == pytest.approx(exp(alpha * score) / total, abs=0.032)


def test_a_bpe_vocabulary_cannot_be_sampled_from() -> None:
    with pytest.raises(UserError, match=r"vocabulary\.sampling"):
        Vocabulary(train(LINES, type="bpe", size=SIZE)).segmentations("Hund")


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_vocabulary_too_large_names_the_largest_that_works(kind: str) -> None:
    with pytest.raises(UserError, match=r"vocabulary\.size: 6000 pieces .* at most \d+") as error:
        train(LINES, type=kind, size=6000)
    largest = int(str(error.value).split()[-1])
    assert len(Vocabulary(train(LINES, type=kind, size=largest))) == largest


def test_a_vocabulary_too_small_names_the_smallest_that_works() -> None:
    with pytest.raises(UserError, match=r"vocabulary\.size: 261 .* at least \d+") as error:
        train(LINES, type="bpe", size=261)
    smallest = int(str(error.value).split()[-1])
    assert len(Vocabulary(train(LINES, type="bpe", size=smallest))) == smallest


@pytest.mark.parametrize("lines", [[], ["", " "], ["x" * 100_000]])
def test_a_corpus_without_usable_text_is_an_error(lines: list[str]) -> None:
    with pytest.raises(UserError, match="vocabulary: "):
        train(lines, type="unigram", size=SIZE)


@pytest.mark.parametrize("model", [b"", b"not a model", UNIGRAM.model[:500]])
def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path: Path, model: bytes) -> None:
    (tmp_path / "vocabulary.model").write_bytes(model)
    with pytest.raises(UserError, match=r"vocabulary\.model: expected a SentencePiece model, found something else"):
        Vocabulary.from_file(tmp_path / "vocabulary.model")


def test_a_vocabulary_is_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.model").write_bytes(UNIGRAM.model)
    assert Vocabulary.from_file(tmp_path / "vocabulary.model").encode("Ein Hund") == UNIGRAM.encode("Ein Hund")


HOSTILE = "▁A\x1b]0;pwned\x07\x9b2J\u202e\nB"


def test_control_characters_of_a_piece_reach_no_text() -> None:
    """A stranger can write them into a valid model."""
    model = with_pieces(UNIGRAM.model, {SIZE - 1: HOSTILE.encode()})
    vocabulary = Vocabulary(model)
    assert vocabulary.piece(SIZE - 1) == HOSTILE
    assert vocabulary.decode([SIZE - 1, SIZE - 1]) == "A]0;pwned2J B A]0;pwned2J B"


def test_a_piece_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UserError, match="a piece that is not UTF-8"):
        Vocabulary(with_pieces(UNIGRAM.model, {SIZE - 1: b"\xff\xfe"}))


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_without_stand_ins_the_model_is_that_of_the_trainer_without_the_option(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even an empty list of symbols would add one that is empty."""
    asked: list[dict[str, Any]] = []
    trainer = sentencepiece.SentencePieceTrainer
    original = trainer.train

    def recorded(**options: Any) -> None:
        asked.append(options)
        original(**options)

    monkeypatch.setattr(trainer, "train", recorded)
    lines = [f"{line} ⟦1⟧" for line in LINES]
    plain, marked = (Vocabulary(train(lines, type=kind, size=SIZE + 8, stand_ins=on)) for on in (False, True))
    assert [options.get("user_defined_symbols") for options in asked] == [None, list(STAND_INS)]
    assert (plain.has_stand_ins, marked.has_stand_ins) == (False, True)
    ids = marked.encode("x⟦1⟧ ⟦8⟧.")
    assert [piece for piece in marked.pieces(ids) if piece in STAND_INS] == ["⟦1⟧", "⟦8⟧"]
    assert marked.decode(ids) == "x⟦1⟧ ⟦8⟧."
