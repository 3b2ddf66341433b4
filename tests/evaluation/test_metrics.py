from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import sacrebleu

from nmt.errors import UserError
from nmt.evaluation import metrics

WORDS = [
    "the",
    "a",
    "small",
    "old",
    "dog",
    "cat",
    "man",
    "runs",
    "sees",
    "house",
    "garden",
    "red",
    "green",
    ",",
    "and",
    "in",
]


def sentences(count: int, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(3, 15))).capitalize() + "." for _ in range(count)]


def damaged(lines: list[str], share: float, seed: int = 2) -> list[str]:
    """The lines with this share of their words replaced."""
    draw = random.Random(seed)
    return [" ".join(draw.choice(WORDS) if draw.random() < share else word for word in line.split()) for line in lines]


def test_values_signatures_and_intervals_are_those_of_the_command_line_of_sacrebleu(tmp_path: Path) -> None:
    references = sentences(120)
    hypotheses = damaged(references, 0.3)
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    command = [
        sys.executable,
        "-m",
        "sacrebleu",
        "references",
        "-i",
        "hypotheses",
        "-m",
        "bleu",
        "chrf",
        "ter",
        "--confidence",
        "-w",
        "6",
    ]
    theirs = json.loads(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)
    ours = metrics.score(hypotheses, references, target="en")
    for our, their in zip(ours.metrics.values(), theirs, strict=True):
        assert our.low is not None
        assert our.high is not None
        assert (our.name, our.signature) == (their["name"], their["signature"])
        found = [our.value, (our.low + our.high) / 2, (our.high - our.low) / 2]
        assert found == pytest.approx([their["score"], their["confidence_mean"], their["confidence_var"]], abs=1e-6)


def test_the_plain_number_and_the_lengths_are_those_of_corpus_bleu() -> None:
    references = sentences(50)
    hypotheses = [line[: len(line) // 2] for line in references]
    theirs = sacrebleu.corpus_bleu(hypotheses, [references])
    ours = metrics.score(hypotheses, references, target="de", intervals=False)
    assert metrics.bleu(hypotheses, references, "de") == ours.bleu.value == theirs.score
    assert (ours.bleu.brevity_penalty, ours.bleu.length_ratio) == (theirs.bp, theirs.sys_len / theirs.ref_len)
    assert ours.bleu.brevity_penalty < 1
    assert (ours.bleu.low, ours.bleu.high) == (None, None)


def test_hypotheses_of_which_most_match_nothing_have_intervals() -> None:
    """Some resamples match nothing at all, others a little."""
    found = metrics.score(["xx", "yy", "dog", "zz"], ["a cat", "a dog", "a dog", "a man"], target="en")
    chrf = found.metrics["chrf"]
    assert chrf.low is not None
    assert chrf.low < chrf.value


def test_unequal_counts_are_refused_with_both_counts() -> None:
    with pytest.raises(UserError, match="1 hypotheses, but 2 references"):
        metrics.score(["a b c d"], ["a b c d", "e f g h"], target="en")
    with pytest.raises(UserError, match="2 hypotheses, but 1 references"):
        metrics.bleu(["a b c d", "e f g h"], ["a b c d"], "en")


@pytest.mark.parametrize(
    ("hypotheses", "references"), [([], []), ("ab", ["a", "b"]), (["a", None], ["a", "b"]), ([["a"]], [["a"]])]
)
def test_what_is_no_list_of_sentences_is_refused(hypotheses: list[str], references: list[str]) -> None:
    with pytest.raises(UserError):
        metrics.score(hypotheses, references, target="en")


@pytest.mark.parametrize(
    ("target", "tokenizer"),
    [
        ("en", "13a"),
        ("de_DE", "13a"),
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zho_Hans", "zh"),
        ("ja", "char"),
        ("th", "char"),
    ],
)
def test_the_target_language_decides_the_tokenizer(
    target: str, tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda name: None)
    assert (
        f"|tok:{tokenizer}|" in metrics.score_bleu(["我 b c d"], ["我 b c d"], target=target, intervals=False).signature
    )


def test_one_wrong_character_is_not_a_wrong_sentence_for_ter_in_chinese() -> None:
    found = metrics.score(["我喜欢红色的房子"], ["我喜欢绿色的房子"], target="zh", intervals=False).metrics["ter"]
    assert found.value == pytest.approx(100 / 8)
    assert "asian:yes" in found.signature


def test_the_seed_is_ours_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    references = sentences(30)
    expected = metrics.score(damaged(references, 0.3), references, target="en")
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    found = metrics.score(damaged(references, 0.3), references, target="en")
    assert found == expected
    assert "seed:12345" in found.bleu.signature
    assert os.environ["SACREBLEU_SEED"] == "7"


def test_a_score_without_signature_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="signature"):
        metrics.Score(name="BLEU", value=30.0, signature="")


@pytest.mark.parametrize(("count", "small"), [(99, True), (100, False)])
def test_fewer_than_a_hundred_sentences_are_marked(count: int, small: bool) -> None:
    found = metrics.score(sentences(count), sentences(count), target="en", intervals=False)
    assert (found.small, found.as_json()["small"], bool(found.warnings)) == (small, small, small)


@pytest.mark.parametrize(("tokenised", "warned"), [(10, False), (11, True)])
def test_more_than_a_tenth_of_tokenised_hypotheses_is_warned_of(tokenised: int, warned: bool) -> None:
    references = sentences(100)
    hypotheses = [f"{line[:-1]} ." for line in references[:tokenised]] + references[tokenised:]
    warnings = metrics.score(hypotheses, references, target="en", intervals=False).warnings
    assert bool(warnings) is warned
    assert all(f"{tokenised} of 100 hypotheses" in warning for warning in warnings)


def test_the_json_form_holds_values_and_signatures_of_all_three_metrics() -> None:
    record = json.loads(json.dumps(metrics.score(sentences(5), sentences(5), target="en").as_json()))
    assert [record[key]["name"] for key in ("bleu", "chrf", "ter")] == ["BLEU", "chrF2", "TER"]
    assert all(record[key]["signature"] for key in ("bleu", "chrf", "ter"))
    assert record["bleu"]["brevity_penalty"] == 1.0


@pytest.mark.parametrize("hypotheses", [["a b", "x", "y", "z"], ["a", "", "", ""], ["", "", "", ""]])
def test_a_handful_of_sentences_with_hardly_a_match_has_intervals_too(hypotheses: list[str]) -> None:
    """Some resamples then hold no match at all, or nothing at all."""
    found = metrics.score(hypotheses, ["a b c", "q", "r", "s"], target="en")
    for each in found.metrics.values():
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.high
