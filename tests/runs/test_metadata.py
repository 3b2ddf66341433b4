from __future__ import annotations

import json
from typing import Any

import pytest

from nmt.errors import UserError
from nmt.runs import metadata

LENGTHS = {"median": 3, "p95": 5, "longest": 9, "tokens": 100}
SOUND: dict[str, Any] = {
    "format": metadata.FORMAT,
    "lengths": {"source": LENGTHS, "target": LENGTHS},
    "corpus": {"fallback": None},
    "more": [1],
}


def read(**changed: Any) -> metadata.Metadata:
    return metadata.read_metadata(json.dumps(SOUND | changed).encode(), "a/run.json", "a")


def test_sound_metadata_is_written_as_it_was_read() -> None:
    found = read(unseen_tokens="4-9")
    assert found.as_json() == {name: value for name, value in SOUND.items() if name != "more"} | {
        "unseen_tokens": "4-9"
    }
    assert (found.lengths.source.p95, found.corpus.fallback, found.decided.threads) == (5, None, 1)


def test_what_is_changed_is_checked_and_the_rest_stays() -> None:
    before = read(decided={"updates": 3, "threads": 2})
    after = before.with_decisions(before.decided.with_updates(4))
    assert after.as_json() == before.as_json() | {"decided": {"updates": 4, "threads": 2}}


@pytest.mark.parametrize("name", ["corpus", "lengths"])
def test_a_missing_key_is_named(name: str) -> None:
    values = {key: value for key, value in SOUND.items() if key != name}
    with pytest.raises(UserError, match=rf"a/run\.json: {name}: Field required; the run folder is damaged"):
        metadata.read_metadata(json.dumps(values).encode(), "a/run.json", "a")


def test_a_run_of_the_format_before_names_the_command_that_converts_it() -> None:
    with pytest.raises(UserError, match=r"a/run\.json: a run of format 1, .*; convert it: nmt convert runs/a"):
        metadata.read_metadata(b'{"format": 1}', "a/run.json", "runs/a")


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"lengths": {"source": LENGTHS}}, "lengths.target"),
        ({"lengths": {"source": LENGTHS, "target": LENGTHS | {"longest": "9"}}}, "lengths.target.longest"),
        ({"lengths": {"source": LENGTHS | {"longest": 10**12}, "target": LENGTHS}}, "lengths.source.longest"),
        ({"lengths": {"source": LENGTHS | {"tokens": 0}, "target": LENGTHS}}, "lengths.source.tokens"),
        ({"corpus": []}, "corpus"),
        ({"lengths": None}, "lengths"),
        ({"corpus": {"fallback": None, "name": "a\x1b[2J"}}, "corpus.name"),
        ({"unseen_tokens": "4-99999999999"}, "unseen_tokens"),
        ({"unseen_tokens": "x"}, "unseen_tokens"),
        ({"decided": {"threads": 10**9}}, "decided.threads"),
        ({"versions": {"torch": 2}}, "versions.torch"),
    ],
)
def test_metadata_of_another_shape_is_refused_with_its_place(changed: dict[str, Any], place: str) -> None:
    with pytest.raises(UserError, match=rf"a/run\.json: {place}: .*; the run folder is damaged"):
        read(**changed)


@pytest.mark.parametrize("data", [b"[" * 100_000, b"9" * 10_000, b'{"a": NaN', b"\xff", b""])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match="the run folder is damaged"):
        metadata.read_metadata(data, "a/run.json", "a")
