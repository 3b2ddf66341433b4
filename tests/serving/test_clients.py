"""Real clients, unmodified, against a server on loopback."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from hashlib import sha256
from typing import Any

import pytest

from nmt.serving.admission import ApiKeys
from tests.serving.conftest import listening

KEY = "secret"
KEYS = ApiKeys({"one": sha256(KEY.encode()).hexdigest()})


@pytest.mark.parametrize("keys", [None, KEYS])
def test_libretranslatepy(keys: ApiKeys | None) -> None:
    api = pytest.importorskip("libretranslatepy", reason="needs the extra dev").LibreTranslateAPI
    with listening(keys=keys) as (address, _):
        client = api(address, KEY)
        assert client.translate("Grüße & 100 %", "de", "en") == "GRÜSSE & 100 %"
        assert {each["language"] for each in client.detect("Hallo")} <= {"de", "en"}
        assert client.languages()[0] == {"code": "de", "name": "German", "targets": ["en"]}
        with pytest.raises(urllib.error.HTTPError, match="403" if keys else "400"):
            api(address, "wrong").translate("Hallo", "de" if keys else "zz", "en")


@pytest.mark.parametrize("keys", [None, KEYS])
def test_deep_translator(keys: ApiKeys | None) -> None:
    libre = pytest.importorskip("deep_translator", reason="needs the extra dev")
    with listening(keys=keys) as (address, _):
        client = libre.LibreTranslator(source="de", target="en", api_key=KEY, custom_url=f"{address}/")
        assert client.translate("Grüße & 100 %") == "GRÜSSE & 100 %"
        assert client.translate_batch(["eins", "zwei"]) == ["EINS", "ZWEI"]
        wrong = libre.LibreTranslator(source="de", target="en", api_key="wrong", custom_url=f"{address}/")
        if keys:
            with pytest.raises(libre.exceptions.AuthorizationException):
                wrong.translate("eins")


def test_mastodon() -> None:
    """It asks for the languages, then for all texts of a post at once, and takes any status but 200, 403 and 429 for a
    failure."""
    asked = {
        "q": ["<p>Der Hund schläft heute im Garten, <span class='h-card' translate='no'>@wir</span></p>", "eins"],
        "source": "de",
        "target": "en",
        "format": "html",
    }
    with listening(keys=KEYS) as (address, _):
        languages = {each["code"]: each["targets"] for each in _json(f"{address}/languages")}
        assert languages == {"de": ["en"], "en": []}
        answer = _json(f"{address}/translate", {**asked, "source": "auto", "api_key": KEY})
        assert answer["translatedText"] == [
            "<p>DER HUND SCHLÄFT HEUTE IM GARTEN, <span class='h-card' translate='no'>@wir</span></p>",
            "EINS",
        ]
        assert [sorted(each) for each in answer["detectedLanguage"]] == [["confidence", "language"]] * 2
        with pytest.raises(urllib.error.HTTPError, match="403"):
            _json(f"{address}/translate", {**asked, "api_key": "wrong"})


def _json(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(
        urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=10
    ) as answer:
        return json.load(answer)
