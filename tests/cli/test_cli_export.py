from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.models import weights
from nmt.recipe import reading
from nmt.runs.run_folder import RECIPE, WEIGHTS, Run

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

LINES = b"rot Hund\n\nKatze\nklein Haus Baum\n"
MODEL = "model: {family: transformer, width: 16, heads: 2, feed_forward: 32}"


@pytest.fixture
def transformer(nmt: Nmt) -> str:
    """Beside runs/toy a run of the same corpus with a Transformer in it, that has learned nothing."""
    run = Path("runs/transformer")
    shutil.copytree("runs/toy", run)
    Path("transformer.yaml").write_text(re.sub("^model: .*", MODEL, Path("toy.yaml").read_text(), flags=re.MULTILINE))
    recipe = reading.read(Path("transformer.yaml"), ["search.min_length=0", "search.length_penalty=0.0"])
    (run / RECIPE).write_text(reading.dump(recipe))
    (run / WEIGHTS).write_bytes(weights.packed(Run(run).fresh_model()))
    return str(run)


def test_an_exported_run_translates_the_same_by_either_engine(nmt: Nmt, transformer: str) -> None:
    exported = nmt("export", transformer, "--to", "ctranslate2", "--json", "-q")
    assert (exported.status, exported.err) == (0, "")
    report = json.loads(exported.out)
    assert (report["sentences"], report["greedy"]["same"], report["faults"]) == (6, 6, [])
    by_torch = nmt("translate", transformer, "--json", "--engine", "torch", stdin=LINES)
    for option in (["--engine", "ctranslate2"], [], ["--workers", "2"]):
        found = nmt("translate", transformer, "--json", *option, stdin=LINES)
        assert found.err.startswith("translating with CTranslate2 in float32")
        for one, other in zip(
            map(json.loads, by_torch.out.splitlines()), map(json.loads, found.out.splitlines()), strict=True
        ):
            assert other.pop("score") == pytest.approx(one.pop("score"), abs=1e-4)
            assert other == one


def test_the_report_is_printed_and_says_where_the_export_is(nmt: Nmt, transformer: str) -> None:
    outcome = nmt(
        "export",
        transformer,
        "--to",
        "ctranslate2",
        "--quantization",
        "int8",
        "--allowed-loss",
        "100",
        "--sentences",
        "2",
    )
    assert outcome.status == 0
    assert b"greedy: " in outcome.out
    assert b"BLEU " in outcome.out
    assert f"exported to {transformer}/ctranslate2" in outcome.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["export", "runs/toy", "--to", "ctranslate2"],
            "runs/toy: CTranslate2 has no model of this kind (LSTM, attention)",
        ),
        (["translate", "runs/toy", "--engine", "ctranslate2"], "runs/toy: CTranslate2 has no model of this kind"),
        (
            ["translate", "runs/transformer", "--engine", "ctranslate2"],
            "--engine ctranslate2: runs/transformer/ctranslate2: no such export",
        ),
        (["export", "runs/none", "--to", "ctranslate2"], "runs/none: no such run folder"),
    ],
)
def test_wrong_requests_get_a_clear_line(nmt: Nmt, transformer: str, command: list[str], words: str) -> None:
    outcome = nmt(*command, stdin=LINES)
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err.startswith(f"nmt: {words}")
    assert outcome.err.count("\n") <= 3
