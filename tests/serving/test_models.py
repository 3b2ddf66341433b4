"""Models that compute in every way that `open_translator` offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from nmt.data.vocabulary import EOS
from nmt.errors import UserError
from nmt.export import folder
from nmt.inference import exports
from nmt.inference.open import open_translator
from nmt.models import weights
from nmt.models.attention import ATTENTIONS, THOUGHT_VECTORS
from nmt.models.registry import FAMILIES
from nmt.runs import run_folder
from nmt.runs.files import EXPORT
from nmt.runs.run_folder import Run
from nmt.search import never
from nmt.serving.models import Computing, Models, ServedModel
from tests.export.conftest import SMALL, lines, make_run  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from tests.export.conftest import MakeRun
    from tests.serving.conftest import Serve


@pytest.fixture
def exported(make_run: MakeRun) -> Run:  # noqa: F811
    pytest.importorskip("ctranslate2", reason="needs the extra ct2: pip install 'nmt-recipes[ct2]'")
    run = make_run()
    model = run.model()
    with torch.no_grad():
        model.get_parameter("output.bias")[EOS] -= 3.0  # most translations of the fixture are empty
    (run.path / run_folder.WEIGHTS).write_bytes(weights.packed(model))
    run = Run(run.path)
    (run.path / EXPORT).mkdir()
    exports.describe(run.path / EXPORT, folder.fill(run.path / EXPORT, run, "float32").description)
    exports.note(run)
    return run


@pytest.mark.parametrize(
    ("computing", "said", "looks"),
    [
        (Computing(), [], True),
        (Computing(precision="fp32"), [], True),
        (Computing(workers=2), [], False),
        (
            Computing("auto"),
            ["run: translating with CTranslate2 in float32; --engine torch takes the run itself"],
            False,
        ),
        (Computing("ctranslate2", workers=2, batch_tokens=8), None, False),
    ],
)
def test_every_engine_serves_the_same_translations(
    exported: Run,
    lines: list[str],  # noqa: F811
    computing: Computing,
    said: list[str] | None,
    looks: bool,
) -> None:
    lines = [*lines, "rot {name} Hund 12,50 € Katze"]
    search = exported.search_settings(nbest=3, keep_weights=True)
    torch_translator = open_translator(exported, "torch", device="cpu", search=search, split="never", protect=True)
    expected = torch_translator.translate(lines)
    assert "{name}" in expected[-1].text
    assert "12,50 €" in expected[-1].text
    log: list[str] = []
    with Models.load([exported.path], 400, computing, log.append) as models:
        (model,) = models.all
        compute, *_ = model.translation_job("", alternatives=2, details=True)
        found = compute(lines, never)
        assert bool(model.as_json()["kinds"]) == looks
        if looks:
            assert model.interpretation_job("rot Hund", "attention").compute(["rot Hund"], never)[0].kind == "attention"
        else:
            with pytest.raises(UserError, match=r"cannot be looked into; .* --engine torch and without --workers"):
                model.interpretation_job("rot Hund", "attention")
    assert [(each.text, each.pieces, each.alignment) for each in found] == [
        (each.text, each.pieces, each.alignment) for each in expected
    ]
    assert [[text for text, _ in each.alternatives] for each in found] == [
        [text for text, _ in each.alternatives] for each in expected
    ]
    assert any(each.alignment and each.alternatives for each in found)
    assert said is None or log == said


@pytest.mark.parametrize(
    "keys",
    [
        *(["model.family=recurrent", f"model.attention={name}"] for name in ATTENTIONS),
        *(
            ["model.family=recurrent", "model.attention=none", f"model.thought_vector={name}"]
            for name in THOUGHT_VECTORS
        ),
        *([f"model.family={name}"] for name in FAMILIES),
    ],
)
def test_every_attention_and_family_is_served_with_all_that_the_page_asks_for(
    make_run: MakeRun,  # noqa: F811
    serve: Serve,
    keys: list[str],
) -> None:
    small = ["model.embedding=8", "model.encoder.hidden=8", "model.decoder.hidden=16"]
    run = make_run("run", *keys, *(SMALL[1:] if keys == ["model.family=transformer"] else small))
    client, _ = serve(ServedModel(run, "run", 40))
    (model,) = client.get("/frontend/settings").json()["models"]
    assert model["title"] == run.description.title
    asked = {"q": "rot Hund", "source": "de", "target": "en", "model": "run"}
    (details,) = client.post("/translate", json={**asked, "details": True, "alternatives": 2}).json()["details"]
    assert model["kinds"]
    for kind in model["kinds"]:
        seen = client.post("/inspect", json={**asked, "kind": kind})
        assert (seen.status_code, seen.json().get("kind")) == (200, kind), seen.text
        assert seen.json()["source_pieces"] == details["source_pieces"]


def test_a_sentence_longer_than_a_batch_is_several_jobs_and_nothing_is_lost(make_run: MakeRun) -> None:  # noqa: F811
    run = make_run()
    (model,) = Models.load([run.path], 400, Computing(longest=24)).all
    for text in ("Hund rot " * 40, "\n Hund. " + "\U00020000" * 100 + " Katze!", "Hund" * 50, "rot Hund. Katze"):
        passage = model.passage(text)
        assert passage.joined(passage.sentences) == text
        assert max(map(model.tokens, passage.sentences)) <= 24
        assert "".join("".join(passage.sentences).split()) == "".join(text.split())
    assert model.passage("rot Hund. Katze").sentences == ["rot Hund.", "Katze"]


def test_details_say_where_each_piece_stands_in_its_text(make_run: MakeRun, serve: Serve) -> None:  # noqa: F811
    client, _ = serve(ServedModel(make_run(), "run", 40))
    asked = {"q": "- rot Hund, Katze 😀", "source": "de", "target": "en", "details": True}
    for found in client.post("/translate", json=asked).json()["details"]:
        assert [len(found["source_pieces"]), len(found["pieces"])] == [len(found["source_spans"]), len(found["spans"])]
        read = "".join(found["source"][start:end] for start, end in found["source_spans"])
        assert read == "".join(found["source"].split()).lstrip("-")
