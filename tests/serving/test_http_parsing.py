from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nmt.serving import validation
from nmt.serving.admission import ApiKeys, Limits
from tests.serving.conftest import UppercaseModel

if TYPE_CHECKING:
    from tests.serving.conftest import Serve

ASKED = {"q": "Grüße\nJa. Nein.", "source": "DE", "target": "en-US"}
KEY = "secret"
KEYS = ApiKeys({"one": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"})  # the hash of "secret"


@pytest.mark.parametrize(
    "sent",
    [
        {"json": ASKED},
        {"content": json.dumps(ASKED), "headers": {"content-type": "application/json; charset=utf-8"}},
        {"content": json.dumps(ASKED).encode("utf-16"), "headers": {"content-type": "application/json"}},
        {"data": {**ASKED, "q": ASKED["q"].replace("\n", "\r\n")}},
        {
            "content": "q=Grüße\nJa. Nein.&source=de&target=en".encode(),
            "headers": {"content-type": "application/x-www-form-urlencoded"},
        },
        {"data": ASKED, "files": {"unused": b"x"}},
        {"params": ASKED},
        {"params": ASKED, "data": {"q": "the query comes first"}},
    ],
)
def test_parameters_are_read_from_json_form_multipart_and_query(serve: Serve, sent: dict[str, Any]) -> None:
    client, _ = serve()
    answer = client.post("/translate", **sent)
    assert (answer.status_code, answer.json()) == (200, {"translatedText": "GRÜSSE\nJA. NEIN."})


def test_a_response_has_the_shape_of_its_request(serve: Serve) -> None:
    client, _ = serve()
    asked = {"source": "auto", "target": "en", "alternatives": 2}
    guess = {"language": "de", "confidence": 0.0}
    alone = {"translatedText": "A.\nB.", "detectedLanguage": guess, "alternatives": ["A.!\nB.!", "A.!!\nB.!!"]}
    assert client.post("/translate", json={"q": "a.\nb.", **asked}).json() == alone
    listed = client.post("/translate", json={"q": ["a", "", "😀 "], **asked}).json()
    assert listed == {
        "translatedText": ["A", "", "😀 "],
        "detectedLanguage": [guess] * 3,
        "alternatives": [["A!", "A!!"], [], []],
    }


def test_html_keeps_its_tags(serve: Serve) -> None:
    client, _ = serve()
    asked = {"q": ["<p>eins <b>zwei</b></p>", "<3"], "source": "de", "target": "en", "format": "html"}
    assert client.post("/translate", json=asked).json() == {"translatedText": ["<p>EINS <b>ZWEI</b></p>", "&lt;3"]}


def test_a_document_that_would_lose_text_is_an_error_of_the_client(serve: Serve) -> None:
    client, _ = serve()
    answer = client.post("/translate", json={**GOOD, "q": ["a", "<!--> b -->"], "format": "html"})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert "without losing text" in answer.json()["error"]


@pytest.mark.parametrize("text", ["<!doctype html>", "<html", "<HTML ", "<!doctype", "<!doctype html><!-- a -->"])
def test_no_document_is_a_server_error(serve: Serve, text: str) -> None:
    client, _ = serve()
    asked = {**GOOD, "q": ["a", text], "format": "html"}
    assert client.post("/translate", json=asked).status_code in (200, 400)


def test_source_equal_to_target_returns_the_text(serve: Serve) -> None:
    client, _ = serve()
    asked = json.dumps({"q": "as it is \ud800", "source": "en", "target": "en"})
    answer = client.post("/translate", content=asked, headers={"content-type": "application/json"})
    assert answer.json() == {"translatedText": "as it is \ufffd"}


def test_details_are_given_on_request(serve: Serve) -> None:
    client, _ = serve()
    details = client.post("/translate", json={"q": "a. \nB", "source": "de", "target": "en", "details": True}).json()[
        "details"
    ]
    assert [(each["model"], each["source"], each["text"]) for each in details] == [
        ("uppercase", "a.", "A."),
        ("uppercase", "B", "B"),
    ]
    assert details[0]["warnings"] == details[0]["alignment"] == []


def test_the_first_model_of_a_pair_is_the_default(serve: Serve) -> None:
    models = [UppercaseModel(name="one"), UppercaseModel(name="two"), UppercaseModel("fr", "en", "three")]
    client, _ = serve(*models)
    asked = {"q": "a", "source": "de", "target": "en"}
    client.post("/translate", json=asked)
    client.post("/translate", json={**asked, "model": "two"})
    assert [len(model.batches) for model in models] == [1, 1, 0]
    refused = client.post("/translate", json={**asked, "model": "three"})
    assert (refused.status_code, refused.json()) == (400, {"error": "three is not a model from de to en"})


GOOD = {"q": "a", "source": "de", "target": "en"}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, "Invalid request: missing q parameter"),
        ({"q": ""}, "Invalid request: missing q parameter"),
        ({"q": []}, "Invalid request: missing q parameter"),
        ({"q": 1}, "Invalid request: q parameter is not a string or a list of strings"),
        ({"q": ["a", None]}, "Invalid request: q parameter is not a string or a list of strings"),
        ({"q": "a"}, "Invalid request: missing source parameter"),
        ({"q": "a", "source": "zz"}, "Invalid request: missing target parameter"),
        ({"q": "a", "source": {}, "target": "en"}, "Invalid request: source parameter is not a string"),
        ({**GOOD, "source": "zz", "alternatives": "x"}, "Invalid request: alternatives parameter is not a number"),
        ({**GOOD, "alternatives": True}, "Invalid request: alternatives parameter is not a number"),
        ({**GOOD, "alternatives": [1]}, "Invalid request: alternatives parameter is not a number"),
        ({**GOOD, "alternatives": "9" * 5000}, "Invalid request: alternatives parameter is not a number"),
        ({**GOOD, "alternatives": "1_0"}, "Invalid request: alternatives parameter is not a number"),
        ({**GOOD, "alternatives": "\u0663"}, "Invalid request: alternatives parameter is not a number"),
        ({**GOOD, "alternatives": -1}, "Invalid request: alternatives parameter must be >= 0"),
        ({**GOOD, "source": "zz", "alternatives": 5}, "Invalid request: alternatives parameter must be <= 4"),
        ({**GOOD, "source": "zz", "q": ["a"] * 101}, "Invalid request: request (101) exceeds text limit (100)"),
        ({**GOOD, "source": "zz", "q": "a" * 5001}, "Invalid request: request (5001) exceeds text limit (5000)"),
        ({**GOOD, "source": "zz", "format": "xml"}, "zz is not supported"),
        ({**GOOD, "target": "yy"}, "yy is not supported"),
        ({**GOOD, "source": "en", "target": "de", "format": "xml"}, "xml format is not supported"),
        (
            {**GOOD, "source": "en", "target": "de"},
            "German (de) is not available as a target language from English (en)",
        ),
        ({**GOOD, "details": "perhaps"}, "Invalid request: details parameter is not true or false"),
    ],
)
def test_errors_come_in_the_order_that_clients_know(serve: Serve, asked: dict[str, Any], error: str) -> None:
    client, _ = serve()
    answer = client.post("/translate", json=asked)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000, b"{" + b'"a":1,' * 3, b'{"q":' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_json_object_is_refused(serve: Serve, body: bytes) -> None:
    client, _ = serve()
    answer = client.post("/translate", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid JSON format"})


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "image/png",
        ";",
        "",
    ],
)
def test_an_unreadable_form_is_an_error_of_the_client(serve: Serve, kind: str) -> None:
    client, _ = serve()
    for body in (
        b"",
        b"--x\r\n\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
        b"%ff=%",
        b"a&" * 1000,
        b"\x00\xff" * 50,
    ):
        answer = client.post("/translate", content=body, headers={"content-type": kind})
        assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_without_a_key_nothing_is_computed(serve: Serve) -> None:
    model = UppercaseModel()
    client, _ = serve(model, keys=KEYS)
    for path in ("/translate", "/detect", "/inspect"):
        unkeyed: list[dict[str, Any]] = [{"json": {}}, {"json": GOOD}, {"params": GOOD}]
        for sent in unkeyed:
            assert (found := client.post(path, **sent)).status_code == 400
            assert found.json() == {"error": "Please contact the server operator to get an API key"}
        bearer = {"authorization": "Bearer x"}
        wrongs: list[dict[str, Any]] = [
            {"json": {**GOOD, "api_key": "x"}},
            {"json": GOOD, "headers": bearer},
            {"data": {"api_key": "x"}},
        ]
        for wrong in wrongs:
            assert (found := client.post(path, **wrong)).status_code == 403
            assert found.json() == {"error": "Invalid API key"}
    assert model.batches == []
    assert [
        client.get(path).status_code for path in ("/languages", "/frontend/settings", "/health", "/ready", "/")
    ] == [200] * 5
    assert client.get("/frontend/settings").json()["keyRequired"] is True


def test_with_a_key_requests_are_answered(serve: Serve) -> None:
    client, _ = serve(keys=KEYS)
    keyed = {**GOOD, "api_key": KEY}
    ways: list[dict[str, Any]] = [{"json": keyed}, {"params": keyed}, {"data": keyed}]
    for sent in [*ways, {"json": GOOD, "headers": {"authorization": f"Bearer {KEY}"}}]:
        assert client.post("/translate", **sent).json() == {"translatedText": "A"}
    assert client.get("/metrics").status_code == 400
    assert client.get("/metrics", headers={"authorization": f"Bearer {KEY}"}).status_code == 200


def test_a_request_of_too_many_tokens_is_refused_however_few_its_characters(serve: Serve) -> None:
    client, _ = serve(limits=Limits(tokens=6))  # a fake has a token for each word, and an end
    for texts, status in ((["a b c", "a"], 200), (["a b c", "a b"], 400)):
        answer = client.post("/translate", json={**GOOD, "q": texts})
        assert answer.status_code == status
    assert answer.json() == {"error": "Invalid request: request (7 tokens) exceeds text limit (6 tokens)"}


@pytest.mark.parametrize("path", ["/translate", "/detect"])
def test_a_list_of_too_many_texts_is_refused_without_reading_them(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    read: list[str] = []
    monkeypatch.setattr(validation, "replace_surrogates", read.append)
    client, _ = serve()
    answer = client.post(path, json={**GOOD, "q": [""] * 200_000})
    assert (answer.status_code, read) == (400, [])
    assert answer.json() == {"error": "Invalid request: request (200000) exceeds text limit (100)"}


def test_each_limit_refuses_one_more_and_accepts_the_limit(serve: Serve) -> None:
    client, _ = serve(limits=Limits(body=1000, characters=10, items=3, alternatives=1))
    for name, under, over, status in (
        ("q", "a" * 10, "a" * 11, 400),
        ("q", ["a"] * 3, ["a"] * 4, 400),
        ("alternatives", 1, 2, 400),
        (
            "x",
            "b" * (1000 - len(json.dumps({**GOOD, "x": ""}))),
            "b" * (1001 - len(json.dumps({**GOOD, "x": ""}))),
            413,
        ),
    ):
        answers = [
            client.post(
                "/translate", content=json.dumps({**GOOD, name: value}), headers={"content-type": "application/json"}
            )
            for value in (under, over)
        ]
        assert [answer.status_code for answer in answers] == [200, status]
        assert list(answers[1].json()) == ["error"]
