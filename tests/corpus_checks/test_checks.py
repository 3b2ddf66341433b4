from __future__ import annotations

from functools import partial

import pytest

from nmt.corpus_checks import checks, pairs as of_pairs
from nmt.corpus_checks.checks import check_corpus
from nmt.corpus_checks.report import EXAMPLE_WIDTH, LIMITS, CorpusReport, Finding, check_limits, findings, shown, tables
from nmt.data import builtin, vocabulary
from nmt.data.corpus import Corpus, load
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.recipe.types import Data
from nmt.text import detection


@pytest.fixture(scope="module")
def found() -> CorpusReport:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "pairs", partial(builtin.pairs, count=300))
        request = CorpusRequest(**Data(corpus="builtin").model_dump())
        corpus = load(request, lambda _: None)
    model = vocabulary.train(corpus.train.source, corpus.train.target, type="unigram", size=600)
    joint = vocabulary.Vocabulary(model)
    return check_corpus(corpus, request, (joint, joint), {"overlap": 0.0}, lambda _: None)


def test_every_check_looks_at_every_split(found: CorpusReport) -> None:
    checks = set(LIMITS) - (set() if detection.available() else {"other language"})
    assert {each.check for each in found.findings} == checks
    assert all(
        any(split in each.split for each in found.findings if each.check == check)
        for check in checks
        for split in ("train", "valid", "test")
    )
    assert {(row["split"], row["side"], row["unit"]) for row in found.lengths} == {
        (split, side, unit)
        for split in ("train", "valid", "test")
        for side in ("source", "target")
        for unit in ("words", "pieces")
    }


def test_the_built_in_corpus_has_no_problems(found: CorpusReport) -> None:
    assert found.problems == []
    assert tables(found).endswith("\nno problems")


def test_limits_are_taken_and_odd_ones_refused(found: CorpusReport) -> None:
    assert {each.limit for each in found.findings if each.check == "overlap"} == {0.0}
    with pytest.raises(UserError, match=r"--limit overlaps: no such check; expected one of blank, duplicates, overlap"):
        check_limits({"overlaps": 0.0})


@pytest.mark.parametrize(("count", "of", "problem"), [(0, 100, False), (1, 100, False), (2, 100, True), (0, 0, False)])
def test_more_than_the_limit_is_a_problem(count: int, of: int, problem: bool) -> None:
    [each] = findings([("overlap", "test in train", ["x"] * count, of)], LIMITS)
    assert (each.problem, each.count) == (problem, count)


def test_an_example_is_short_and_harmless() -> None:
    assert shown("a\x1b[2Jb\u00adc") == "a\\x1b[2Jb\\xadc"
    assert len(shown("x" * 1000)) == EXAMPLE_WIDTH


def test_odd_length_ratios_are_found_by_the_usual_one_of_the_training_split() -> None:
    train = Pairs(["a" * 30] * 10, ["b" * 60] * 10)
    test = Pairs(["a" * 100, "a" * 100, "a" * 100, "a" * 2], ["b" * 200, "b" * 600, "b" * 60, "b" * 30])
    [_, (check, split, faulty, of)] = of_pairs.ratios({"train": train, "test": test})
    assert (check, split, of) == ("length ratio", "test", 4)
    assert [len(each) for each in faulty] == [100 + 5 + 600, 100 + 5 + 60]


def test_of_a_large_split_every_nth_pair_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SAMPLE", 4)
    pairs = Pairs(list("abcdefghi"), list("ABCDEFGHI"))
    assert checks._sample(pairs).source == ["a", "d", "g"]
    assert checks._sample(pairs.take(range(4))) == pairs.take(range(4))


def test_a_finding_as_json_says_what_follows_from_it() -> None:
    each = Finding(check="overlap", split="test in train", count=1, of=4, limit=0.1, examples=("x",)).as_json()
    assert (each["share"], each["problem"], each["examples"]) == (0.25, True, ["x"])


def test_without_a_vocabulary_all_but_tokens_is_checked() -> None:
    request = CorpusRequest(**Data(corpus="builtin").model_dump())
    corpus = load(request, lambda _: None)
    small = Corpus(corpus.train.take(range(300)), corpus.valid, corpus.test, corpus.metadata)
    found = check_corpus(small, request, None, {}, lambda _: None)
    assert "unknown characters" not in {each.check for each in found.findings}
    assert {row["unit"] for row in found.lengths} == {"words"}
    assert "pieces" not in tables(found)
