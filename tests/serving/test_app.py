from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nmt.serving import http_parsing, languages
from nmt.serving.admission import Limits
from nmt.serving.app import PAGE
from nmt.serving.openapi import PATHS
from tests.serving.conftest import POISON, UppercaseModel

if TYPE_CHECKING:
    from tests.serving.conftest import Serve

GOOD = {"q": "a", "source": "de", "target": "en"}
SECRET = "my secret text"


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({}, 200, "attention"),
        ({"kind": "gates"}, 200, "gates"),
        ({"kind": "dreams"}, 400, "dreams is not a kind; expected one of attention, occlusion, gates"),
        ({"q": ["a", "b"]}, 400, "Invalid request: q parameter is more than one text"),
        ({"source": "en"}, 400, "English (en) is not available as a target language from English (en)"),
    ],
)
def test_one_sentence_is_inspected(serve: Serve, change: dict[str, Any], status: int, words: str) -> None:
    client, _ = serve()
    answer = client.post("/inspect", json={**GOOD, **change})
    assert (answer.status_code, answer.json()["error" if status == 400 else "kind"]) == (status, words)


def test_languages_list_targets_too(serve: Serve) -> None:
    client, _ = serve(UppercaseModel(), UppercaseModel("fr", "de", "other"))
    assert client.get("/languages").json() == [
        {"code": "de", "name": "German", "targets": ["en"]},
        {"code": "fr", "name": "French", "targets": ["de"]},
        {"code": "en", "name": "English", "targets": []},
    ]


def test_status_routes_are_as_clients_expect_them(serve: Serve) -> None:
    client, _ = serve()
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").status_code == 200
    settings = client.get("/frontend/settings").json()
    assert (settings["charLimit"], settings["keyRequired"], settings["language"]["target"]) == (
        5000,
        False,
        {"code": "en", "name": "English"},
    )
    assert client.post("/suggest").json() == {"error": "Suggestions are disabled on this server."}
    assert settings["filesTranslation"]
    assert {".txt", ".html", ".md", ".srt", ".po"} <= set(settings["supportedFilesFormat"])
    assert client.post("/detect", data={"q": "Hallo"}).json() == [{"language": "de", "confidence": 0.0}]


@pytest.mark.parametrize("path", ["/", *(path for path, method in PATHS.items() if method == "get")])
def test_what_answers_get_answers_head_too(serve: Serve, path: str) -> None:
    client, _ = serve()
    answer, whole = client.head(path), client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, whole.headers["content-type"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/translate", 405), ("POST", "/health", 405), ("GET", "/no", 404), ("POST", "/../etc/passwd", 404)],
)
def test_unknown_paths_and_methods_are_errors_in_json(serve: Serve, method: str, path: str, status: int) -> None:
    client, _ = serve()
    answer = client.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_the_document_names_every_path_and_every_path_answers(serve: Serve) -> None:
    client, _ = serve()
    document = client.get("/openapi.json").json()
    described = {path: next(iter(methods)) for path, methods in document["paths"].items()}
    assert {**described, "/openapi.json": "get"} == PATHS
    assert all(client.request(method, path).status_code != 404 for path, method in PATHS.items())


def test_a_failure_tells_nothing_of_the_text_and_other_requests_are_right(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    client, _ = serve()
    failed = client.post("/translate", json={**GOOD, "q": f"{POISON} {SECRET}"})
    assert (failed.status_code, failed.json()) == (500, {"error": "This server failed; the request may be tried again"})
    said = capsys.readouterr().err
    assert said.startswith("nmt serve: AssertionError at ")
    assert "secret" not in said
    assert client.post("/translate", json=GOOD).json() == {"translatedText": "A"}


def test_metrics_count_requests_and_contain_no_text_key_path_or_query(serve: Serve) -> None:
    client, _ = serve()
    client.post("/translate", json={**GOOD, "q": SECRET, "api_key": "hidden-key"})
    client.post("/translate", params={"q": SECRET, "api_key": "hidden-key"})
    client.get("/hidden-path?q=hidden-query")
    text = client.get("/metrics").text
    assert 'nmt_requests_total{endpoint="/translate",status="200"} 1.0' in text
    assert 'nmt_requests_total{endpoint="other",status="404"} 1.0' in text
    assert "nmt_batch_sentences_count 1.0" in text
    assert "secret" not in text
    assert "hidden" not in text


def test_a_request_beyond_its_deadline_is_cancelled_and_frees_its_room(serve: Serve) -> None:
    client, service = serve(UppercaseModel(seconds=1.2), limits=Limits(deadline=1))
    answer = client.post("/translate", json=GOOD)
    assert (answer.status_code, answer.json()) == (504, {"error": "Not translated within 1 seconds"})
    assert (service.batcher.tokens, service.active) == (0, 0)


def test_a_draining_server_refuses_new_requests(serve: Serve) -> None:
    client, service = serve()
    service.draining = True
    refused = client.post("/translate", json=GOOD)
    assert (refused.status_code, refused.headers["connection"], "retry-after" in refused.headers) == (
        503,
        "close",
        True,
    )
    assert (client.get("/ready").status_code, client.get("/health").status_code) == (503, 200)


def test_a_full_queue_is_503_with_retry_after(serve: Serve) -> None:
    client, service = serve(limits=Limits(queue=10))
    service.batcher.tokens = 9
    refused = client.post("/translate", json=GOOD)
    assert (refused.status_code, list(refused.json())) == (503, ["error"])
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    service.batcher.tokens = 8
    assert client.post("/translate", json=GOOD).status_code == 200


def test_requests_beyond_the_queue_are_refused_unread(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    client, service = serve(limits=Limits(queue=10))
    service.batcher.tokens = 9
    monkeypatch.setattr(http_parsing, "read_parameters", None)
    assert [client.post(path, content=b"{").status_code for path in ("/translate", "/inspect", "/detect")] == [503] * 3
    assert (client.get("/health").status_code, client.get("/ready").status_code) == (200, 503)
    assert 'nmt_requests_total{endpoint="/translate",status="503"} 1.0' in client.get("/metrics").text


def test_other_origins_are_allowed_by_name_only(serve: Serve) -> None:
    closed, _ = serve()
    opened, _ = serve(origins=["https://good.example"])
    asked = {"origin": "https://bad.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in closed.post("/translate", json=GOOD, headers=asked).headers
    assert closed.options("/translate", headers=asked).status_code == 405
    assert opened.options("/translate", headers=asked).status_code == 400
    good = {**asked, "origin": "https://good.example"}
    assert opened.options("/translate", headers=good).headers["access-control-allow-origin"] == "https://good.example"
    assert (
        opened.post("/translate", json=GOOD, headers=good).headers["access-control-allow-origin"]
        == "https://good.example"
    )


def test_the_page_may_run_its_own_script_only(serve: Serve) -> None:
    client, _ = serve()
    for path in PAGE:
        answer = client.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "http" not in answer.text.replace("http://www.w3.org/", "")


def test_each_text_is_translated_from_its_own_language(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language of a short text is detected from all texts together."""

    def detect(text: str, candidates: object) -> list[languages.Guess]:
        return [languages.Guess("fr" if text.startswith("le") else "en" if text.startswith("the") else "de", 90.0)]

    monkeypatch.setattr(languages, "detect", detect)
    models = [UppercaseModel(), UppercaseModel("fr", "en", "french")]
    client, _ = serve(*models)
    texts = ["der" * 20, "le" * 20, "the" * 20, "le", "<b class='le'></b>" * 3 + "der" * 20]
    answer = client.post("/translate", json={"q": texts, "source": "auto", "target": "en", "format": "html"}).json()
    assert [each["language"] for each in answer["detectedLanguage"]] == ["de", "fr", "en", "de", "de"]
    assert answer["translatedText"][:4] == ["DER" * 20, "LE" * 20, "the" * 20, "LE"]
    assert models[1].batches == [["le" * 20]]
