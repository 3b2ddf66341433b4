from __future__ import annotations

import json
from typing import Any

import pytest

from nmt.errors import UserError
from nmt.runs import metadata

LENGTHS = {"median": 3, "95": 5, "longest": 9, "pieces": 100}
SOUND: dict[str, Any] = {
    "format": 1,
    "lengths": {"source": LENGTHS, "target": LENGTHS},
    "corpus": {"fallback": None},
    "more": [1],
}


def read(**changed: Any) -> metadata.Metadata:
    return metadata.read(json.dumps(SOUND | changed).encode(), "a/run.json")


def test_sound_facts_are_given_as_they_are() -> None:
    assert read() == SOUND


def test_a_missing_fact_is_named_when_it_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"a/run\.json: expected the key 'updates'"):
        read()["updates"]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"lengths": {"source": LENGTHS}}, "lengths.target"),
        ({"lengths": {"source": LENGTHS, "target": LENGTHS | {"longest": "9"}}}, "lengths.target.longest"),
        ({"lengths": {"source": LENGTHS | {"longest": 10**12}, "target": LENGTHS}}, "lengths.source.longest"),
        ({"lengths": {"source": LENGTHS | {"pieces": 0}, "target": LENGTHS}}, "lengths.source.pieces"),
        ({"corpus": []}, "corpus"),
        ({"lengths": None}, "lengths"),
        ({"corpus": {"fallback": None, "name": "a\x1b[2J"}}, "corpus.name"),
        ({"unseen": "4-99999999999"}, "unseen"),
        ({"unseen": "x"}, "unseen"),
        ({"threads": 10**9}, "threads"),
        ({"versions": {"torch": 2}}, "versions.torch"),
    ],
)
def test_facts_of_another_shape_are_refused_with_their_place(changed: dict[str, Any], place: str) -> None:
    with pytest.raises(UserError, match=rf"a/run\.json: {place}: .*; the run folder is damaged"):
        read(**changed)


@pytest.mark.parametrize("data", [b"[" * 100_000, b"9" * 10_000, b'{"a": NaN', b"\xff", b""])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match="the run folder is damaged"):
        metadata.read(data, "a/run.json")
