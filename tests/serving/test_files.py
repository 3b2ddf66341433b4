from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nmt.serving.admission import ApiKeys, Limits
from nmt.serving.files import KEPT_BYTES, KEPT_SECONDS, Downloads
from nmt.serving.http_parsing import HttpError
from tests.serving.conftest import UppercaseModel

if TYPE_CHECKING:
    from tests.serving.conftest import Serve

ASKED = {"source": "de", "target": "en"}
FILES = {
    "a.txt": ("eins\r\n\r\nzwei\r\n", "EINS\r\n\r\nZWEI\r\n"),
    "Seite.HTML": ("<p>ein <b>Hund</b><br>ja</p>", "<p>EIN <b>HUND</b><br>JA</p>"),
    "a.md": ("\ufeff# ein *Hund*\n", "\ufeff# EIN *HUND*\n"),
    "a.srt": ("1\n00:00:01,000 --> 00:00:02,000\nja\n", "1\n00:00:01,000 --> 00:00:02,000\nJA\n"),
    "a.po": ('msgid "ja"\nmsgstr ""\n', 'msgid "ja"\nmsgstr "JA"\n'),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_uploaded_and_its_translation_downloaded(serve: Serve, name: str) -> None:
    client, _ = serve()
    source, expected = FILES[name]
    answer = client.post("/translate_file", data=ASKED, files={"file": (name, source.encode())})
    assert (answer.status_code, list(answer.json())) == (200, ["translatedFileUrl"])
    found = client.get(answer.json()["translatedFileUrl"])
    assert (found.status_code, found.content.decode()) == (200, expected)
    stem, _, ending = name.rpartition(".")
    assert found.headers["content-disposition"] == f"attachment; filename*=UTF-8''{stem}_en.{ending}"
    assert "sandbox" in found.headers["content-security-policy"]


def test_a_file_that_is_in_the_target_language_already_comes_back(serve: Serve) -> None:
    client, _ = serve()
    asked = {"source": "en", "target": "en"}
    answer = client.post("/translate_file", data=asked, files={"file": ("a.html", b"<p>ja")})
    assert client.get(answer.json()["translatedFileUrl"]).content == b"<p>ja"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.docx", b"ja", "file format not supported"),
        ("a", b"ja", "file format not supported"),
        ("a.html", b"ja\0", "NUL byte"),
        ("a.txt", b"PK\x03\x04", "a zip file"),
        ("a.md", b"\xff", "invalid UTF-8"),
        ("a.html", b"<!--> ja -->", "without losing text"),
    ],
)
def test_a_file_that_cannot_be_translated_is_an_error_of_the_client(
    serve: Serve, name: str, content: bytes, said: str
) -> None:
    client, _ = serve()
    answer = client.post("/translate_file", data=ASKED, files={"file": (name, content)})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.json()["error"].startswith("Invalid request: ")
    assert said in answer.json()["error"]


def test_a_request_without_a_file_or_a_language_says_what_is_missing(serve: Serve) -> None:
    client, _ = serve()
    file = {"file": ("a.txt", b"ja")}
    missing = [
        client.post("/translate_file", data=ASKED).json()["error"],
        client.post("/translate_file", data={"file": "ja", **ASKED}).json()["error"],
        client.post("/translate_file", data={"source": "de"}, files=file).json()["error"],
        client.post("/translate_file", data={**ASKED, "target": "zz"}, files=file).json()["error"],
    ]
    assert missing == [
        "Invalid request: missing file parameter",
        "Invalid request: missing file parameter",
        "Invalid request: missing target parameter",
        "zz is not supported",
    ]


def test_files_need_a_key_and_room_as_texts_do(serve: Serve) -> None:
    key = "c2VjcmV0"
    from hashlib import sha256

    client, _ = serve(keys=ApiKeys({"a": sha256(key.encode()).hexdigest()}), limits=Limits(tokens=3, body=1000))
    file = {"file": ("a.txt", b"ja")}
    assert client.post("/translate_file", data=ASKED, files=file).status_code == 400
    assert client.post("/translate_file", data={**ASKED, "api_key": "x"}, files=file).status_code == 403
    asked = {**ASKED, "api_key": key}
    assert client.post("/translate_file", data=asked, files=file).status_code == 200
    long = client.post("/translate_file", data=asked, files={"file": ("a.txt", b"a b c d e f")})
    assert (long.status_code, "exceeds text limit" in long.json()["error"]) == (400, True)
    assert client.post("/translate_file", data=asked, files={"file": ("a.txt", b"a" * 2000)}).status_code == 413


def test_a_name_from_outside_is_a_name_and_no_path(serve: Serve) -> None:
    client, _ = serve()
    sent = {"file": ('../../C:\\x\\"; a.txt', b"ja")}
    answer = client.post("/translate_file", data=ASKED, files=sent)
    found = client.get(answer.json()["translatedFileUrl"])
    assert "/" not in found.headers["content-disposition"].partition("''")[2]
    assert '"' not in found.headers["content-disposition"]


def test_an_unknown_file_is_404(serve: Serve) -> None:
    client, _ = serve(UppercaseModel())
    assert client.get("/download_file/x.txt").status_code == 404
    assert client.get("/download_file/..%2f..%2fetc%2fpasswd").status_code == 404


def test_files_are_kept_for_a_while_and_up_to_a_size() -> None:
    now = [0.0]
    downloads = Downloads(lambda: now[0])
    keys = [downloads.add("a.txt", bytes(KEPT_BYTES // 2)).rpartition("/")[2] for _ in range(3)]
    with pytest.raises(HttpError, match="no such file"):
        downloads.find(keys[0])
    assert len(downloads.find(keys[2]).content) == KEPT_BYTES // 2
    now[0] = KEPT_SECONDS + 1
    with pytest.raises(HttpError, match="no such file"):
        downloads.find(keys[2])
