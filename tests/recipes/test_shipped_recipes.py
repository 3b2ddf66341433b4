from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from rich.console import Console

import nmt
from nmt.errors import UserError
from nmt.lab.studies import plan as plans
from nmt.recipe import reading
from nmt.runs.run_folder import Run
from nmt.training.begin import train

FILES = sorted(Path(__file__).parents[2].glob("recipes/*.yaml"))
STUDIES = [path for path in FILES if "\nstudy:" in path.read_text("utf8")]
SHIPPED = [path for path in FILES if path not in STUDIES]
SMALL = {
    "recurrent": ("model.embedding=8", "model.attention_size=8", "model.encoder.hidden=8", "model.decoder.hidden=8"),
    "transformer": (
        "model.width=8",
        "model.heads=2",
        "model.feed_forward=16",
        "model.encoder.layers=1",
        "model.decoder.layers=1",
    ),
}
TOY = (
    *("data.corpus=null", "data.configuration=null", "data.train=toy.tsv", "data.valid=toy.tsv", "data.test=null"),
    *(
        "vocabulary.size=296",
        "training.updates=2",
        "training.batch_tokens=256",
        "training.save_every=1",
        "training.threads=1",
    ),
    *(
        "training.device=cpu",
        "training.precision=fp32",
        "search.min_length=1",
        "search.max_ratio=1.0",
        "search.max_extra=0",
    ),
)


def write_corpus() -> None:
    """Columns for both languages, so that recipes of either direction find theirs."""
    words = {
        "rot": "red",
        "grün": "green",
        "Hund": "dog",
        "Katze": "cat",
        "groß": "tall",
        "klein": "small",
        "Haus": "house",
        "Baum": "tree",
    }
    pairs = [(" ".join(chosen), " ".join(map(words.__getitem__, chosen))) for chosen in permutations(words, 2)]
    Path("toy.tsv").write_text("de\ten\n" + "".join(f"{source}\t{target}\n" for source, target in pairs), "utf8")


@pytest.mark.parametrize("path", STUDIES, ids=[path.stem for path in STUDIES])
def test_a_shipped_study_is_valid_in_all_its_recipes_and_says_how_to_run_it(path: Path) -> None:
    plan = plans.read(path)
    assert {unit.system for unit in plan.jobs} == set(plan.systems)
    assert f"nmt study recipes/{path.name}" in path.read_text("utf8")
    with pytest.raises(UserError, match=f"a study of many models; run it with nmt study {path}"):
        reading.read(path)


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_a_shipped_recipe_trains_and_translates_a_toy_corpus_by_overrides_alone(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_corpus()
    recipe = reading.read(path, [*TOY, *SMALL[reading.read(path).model.family]])
    assert train(recipe, Path("run"), restart=False, log=print, console=Console(quiet=True), quiet=True) == 0
    assert Run(Path("run")).outcome is not None
    found = nmt.load("run").translate(["rot Hund", "Haus klein"])
    assert [len(each.pieces) > 0 for each in found] == [True, True]
