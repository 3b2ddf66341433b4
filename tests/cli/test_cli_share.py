from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt


def test_a_bundle_serves_wherever_a_run_folder_does(nmt: Nmt) -> None:
    assert nmt("bundle", "-q", "runs/toy", "-o", "toy.nmt") == (0, b"", "")
    for command in (
        ("translate", "--text", "rot Hund", "--json"),
        ("info", "--json"),
        ("inspect", "rot Hund", "--json"),
    ):
        of_run, of_bundle = nmt(command[0], "runs/toy", *command[1:]), nmt(command[0], "toy.nmt", *command[1:])
        assert of_bundle.status == 0, of_bundle.err
        assert command[0] == "info" or of_bundle.out.replace(b"toy.nmt", b"runs/toy") == of_run.out
    assert nmt("train", "toy.yaml", "vocabulary.from=toy.nmt", "training.updates=1", "--run", "runs/next").status == 0
    assert Run(Path("runs/next")).vocabularies[0].model == Run(Path("runs/toy")).vocabularies[0].model


def test_a_bundle_is_evaluated_on_files_that_the_user_names(nmt: Nmt) -> None:
    nmt("bundle", "-q", "runs/toy", "-o", "toy.nmt")
    refused = nmt("evaluate", "toy.nmt")
    assert refused.status == 2
    assert "a bundle cannot name files of this machine to be read" in refused.err
    for side, place in (("de", 0), ("en", 1)):
        Path(f"t.{side}").write_text(
            "".join(f"{line.split(chr(9))[place]}\n" for line in Path("test.tsv").read_text("utf8").splitlines()),
            "utf8",
        )
    of_run, of_bundle = (
        nmt("evaluate", "-q", path, "--test", "t=t.de,t.en", "--json").out for path in ("runs/toy", "toy.nmt")
    )
    assert of_bundle.replace(b"toy.nmt", b"runs/toy") == of_run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bundle", "runs/none", "-o", "a.nmt"], "runs/none: no such run folder"),
        (["bundle", "runs/toy", "-o", "a.zip"], "expected a name that ends in .nmt"),
        (["translate", "toy.yaml"], "toy.yaml: this is no run; expected a run folder or a bundle"),
        (["train", "toy.yaml", "--run", "test.tsv"], "expected a folder for the run, found a file"),
        (["push", "runs/toy", "me/toy"], "expected a bundle; make one first"),
        (["pull", "toy"], "expected a repository such as OWNER/NAME"),
    ],
)
def test_what_cannot_be_shared_is_refused(nmt: Nmt, arguments: list[str], words: str) -> None:
    outcome = nmt(*arguments)
    assert (outcome.status, outcome.out) == (2, b"")
    assert words in outcome.err
