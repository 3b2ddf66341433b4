from __future__ import annotations

from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.evaluation import languages
from nmt.evaluation.languages import Languages
from nmt.evaluation.testsets import TestSet, from_files
from nmt.runs.run_folder import Run
from tests.evaluation.runs import make_run


def runs(folder: Path, *targets: str) -> list[Run]:
    return [make_run(folder / f"{number}", target=target) for number, target in enumerate(targets)]


def test_set(*endings: str) -> TestSet:
    return TestSet("news", ["a"], ["b"], (endings[0], endings[1]))


test_set.__test__ = False  # type: ignore[attr-defined]  # for pytest, which collects functions of this name


@pytest.mark.parametrize(
    ("endings", "expected"), [(("de", "en"), "de-en"), (("it", "pt"), "it-pt"), (("src", "ref"), "de-en")]
)
def test_the_endings_of_a_test_sets_files_are_its_languages_if_they_are_codes(
    tmp_path: Path, endings: tuple[str, str], expected: str
) -> None:
    assert str(languages.of_test(test_set(*endings), runs(tmp_path, "en"), None)) == expected


def test_other_endings_leave_the_baselines_languages_or_an_error_that_names_the_option(tmp_path: Path) -> None:
    both = runs(tmp_path, "en", "fr")
    assert languages.of_test(test_set("src", "ref"), both, both[1]) == Languages("de", "fr")
    with pytest.raises(UserError, match=r"the runs are de-en, de-fr\nname them: --languages SOURCE-TARGET"):
        languages.of_test(test_set("src", "ref"), both, None)


def test_regions_and_case_do_not_make_another_language() -> None:
    assert Languages("de_AT", "EN").same(Languages("de", "en-US"))
    assert not Languages("de", "en").same(Languages("en", "de"))


def test_an_option_names_two_codes() -> None:
    assert languages.parse("de-pt_BR") == Languages("de", "pt_BR")
    for wrong in ("german", "de", "de-en-fr", "de-", ""):
        with pytest.raises(UserError, match="expected SOURCE-TARGET"):
            languages.parse(wrong)


@pytest.mark.parametrize("name", ["news.de", "news.de.txt", "news.de.gz", "a.b.de"])
def test_the_ending_of_a_file_is_before_txt_and_gz(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / name, tmp_path / "x"):
        path.write_text("a\n")
    if name.endswith(".gz"):
        import gzip

        (tmp_path / name).write_bytes(gzip.compress(b"a\n"))
    assert from_files("x", tmp_path / name, tmp_path / "x").endings == ("de", "")
