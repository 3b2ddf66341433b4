from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
import sacrebleu

from nmt.errors import RunError, UserError
from nmt.evaluation import evaluate, testsets
from nmt.evaluation.evaluate import Decoding
from nmt.runs.files import FolderFiles
from nmt.search import SearchSettings

TEST = testsets.TestSet(
    "toy",
    ["ein roter Hund läuft schnell", "eine Katze schläft im Haus"],
    ["a red dog runs fast", "a cat sleeps in the house"],
)
DECODING = Decoding(SearchSettings())


def translate(sentences: list[str]) -> list[str]:
    return ["a red dog runs quickly" if "Hund" in sentence else "a cat sleeps in the house" for sentence in sentences]


def test_the_test_set_is_translated_once_and_scored_as_sacrebleu_scores_it() -> None:
    translator = Mock(side_effect=translate)
    result = evaluate.evaluate(translator, TEST, target="en", by_length=True)
    translator.assert_called_once_with(TEST.source)
    assert result.scores.bleu.value == sacrebleu.corpus_bleu(translate(TEST.source), [TEST.references]).score
    assert [(bucket.label, bucket.sentences) for bucket in result.lengths] == [("1-5", 2)]


def test_the_record_says_what_was_scored_and_how() -> None:
    result = evaluate.evaluate(
        translate, TEST, target="en", run="runs/a", decoding=DECODING, weights_sha256="00ff", notes=["built-in corpus"]
    )
    record = json.loads(json.dumps(result.as_json()))
    assert (record["run"], record["test"], record["sentences"], record["target"]) == ("runs/a", "toy", 2, "en")
    assert (record["search"], record["weights_sha256"], record["notes"]) == (
        DECODING.as_json(),
        "00ff",
        ["built-in corpus"],
    )
    assert (record["source_sha256"], record["references_sha256"]) == (TEST.source_sha256, TEST.references_sha256)
    assert record["scores"]["bleu"]["signature"]
    assert (record["by_length"], record["output"]) == ([], None)


def test_saved_hypotheses_lie_in_the_run_folder_under_the_hash_of_the_record(tmp_path: Path) -> None:
    result = evaluate.save(evaluate.evaluate(translate, TEST, target="en", decoding=DECODING), FolderFiles(tmp_path))
    assert result.output == Path("outputs/toy.beam5.length_penalty0.6.min_length0.max_ratio2.0.max_extra20.txt")
    lines = (tmp_path / result.output).read_text("utf-8").splitlines()
    assert lines == translate(TEST.source)
    assert result.as_json()["output_sha256"] == testsets.text_sha256(lines)


def test_a_translator_that_loses_lines_is_found_out() -> None:
    with pytest.raises(RunError, match="1 translations came back for 2 sentences"):
        evaluate.evaluate(lambda lines: translate(lines)[:1], TEST, target="en")


def test_results_are_compared_with_the_first_one() -> None:
    first = evaluate.evaluate(translate, TEST, target="en")
    perfect = evaluate.evaluate(lambda lines: list(TEST.references), TEST, target="en")
    same, better = evaluate.compare([first, first, perfect])
    assert same[0].difference == 0
    assert better[0].difference == pytest.approx(perfect.scores.bleu.value - first.scores.bleu.value)


def test_results_on_different_sentences_are_not_compared() -> None:
    first = evaluate.evaluate(translate, TEST, target="en", run="runs/a")
    other = testsets.TestSet("toy", TEST.source, ["another reference here", "and one more of them"])
    with pytest.raises(UserError, match="only scores on the same sentences"):
        evaluate.compare([first, evaluate.evaluate(translate, other, target="en", run="runs/b")])
