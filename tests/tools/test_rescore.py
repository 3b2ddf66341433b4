from __future__ import annotations

import json
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.evaluation import metrics
from nmt.lab.studies.archive import write_archive
from tools import rescore

REFERENCES = ["A dog runs across the green grass.", "Two cats sleep under the old table."]
OUTPUTS = ["A dog runs across the grass.", "Two cats sleep under a table."]


def published(folder: Path, shift: float = 0.0) -> Path:
    """A folder with one run, whose published BLEU is moved by ``shift``."""
    run = folder / "outputs" / "de-en"
    run.mkdir(parents=True)
    (run / "test.txt").write_text("\n".join(OUTPUTS) + "\n")
    (run / "references.txt").write_text("\n".join(REFERENCES) + "\n")
    scores = metrics.score(OUTPUTS, REFERENCES, target="en", intervals=False).as_json()
    scores["bleu"]["value"] += shift
    (folder / "scores.json").write_text(json.dumps({"runs": {"de-en": {"outputs": "test.txt", **scores}}}))
    write_archive(folder)
    return folder


def test_archived_outputs_are_scored_again_and_are_equal(tmp_path: Path) -> None:
    compared = list(rescore.compare(published(tmp_path)))
    assert [each.name for each in compared] == ["de-en, bleu", "de-en, chrf", "de-en, ter"]
    assert all(each.equal for each in compared)
    assert not (tmp_path / "outputs").exists()


def test_a_score_that_is_not_that_of_its_outputs_is_found(tmp_path: Path) -> None:
    compared = list(rescore.compare(published(tmp_path, shift=0.01)))
    assert [each.name for each in compared if not each.equal] == ["de-en, bleu"]


def test_a_folder_without_published_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected one of bottleneck\.json, ladder\.json, scores\.json beside"):
        list(rescore.compare(tmp_path))


@pytest.mark.parametrize("name", ["multi30k", "europarl"])
def test_the_published_scores_are_those_of_the_archived_outputs(name: str) -> None:
    compared = list(rescore.compare(rescore.RESULTS / name))
    assert len(compared) >= 3
    assert all(each.equal for each in compared)
