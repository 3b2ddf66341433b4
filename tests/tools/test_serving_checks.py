"""The checks of serving, against servers with and without faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve: pip install 'nmt-recipes[serve]'")

from nmt.data.builtin import pairs
from nmt.runs.run_folder import Run
from nmt.serving import http_parsing
from nmt.serving.batcher import Cancelled
from tests.serving.conftest import UppercaseModel, listening
from tools.checks import fuzz, limits, load, overload
from tools.checks.client import Address, Connection
from tools.checks.served_run import Known, ServedRun

KNOWN = [Known(f"eins {number}", f"EINS {number}") for number in range(100)]


def request(text: Any, **more: Any) -> dict[str, Any]:
    """As `ServedRun.request`."""
    return {"q": text, "source": "de", "target": "en", **more}


SERVED: Any = SimpleNamespace(request=request)


class Swapping(UppercaseModel):
    """Swaps the answers of a batch."""

    def _uppercase(self, texts: Sequence[str], alternatives: int, cancelled: Cancelled) -> list[Any]:
        return super()._uppercase(texts, alternatives, cancelled)[::-1]


@pytest.mark.parametrize(("source", "written"), [("de", "de"), ("en", "en"), ("fr", "de")])
def test_sentences_are_in_the_source_language_of_the_run_if_the_corpus_has_it(source: str, written: str) -> None:
    served = ServedRun.__new__(ServedRun)
    served.run = cast("Run", SimpleNamespace(recipe=SimpleNamespace(data=SimpleNamespace(source=source))))
    known = {each for each, _ in pairs("train", written, "de" if written == "en" else "en", count=20)}
    assert 0 < len(asked := served.sentences(20)) <= 20
    assert set(asked) <= known


@pytest.mark.parametrize("model", [UppercaseModel, Swapping])
def test_swapped_answers_are_faults_and_only_they(model: type[UppercaseModel]) -> None:
    with listening(model()) as (url, _):
        seen = asyncio.run(load.send_all(Address.of(url), SERVED, KNOWN, clients=30))
    assert len(seen.trials) == len(KNOWN)
    assert any(trial.fault for trial in seen.trials) == (model is Swapping)


def test_a_sentence_that_is_never_answered_with_a_translation_is_a_fault() -> None:
    with listening(UppercaseModel()) as (url, _):
        seen = asyncio.run(load.send_all(Address.of(url), SERVED, [Known("poison", "POISON")], clients=1))
    assert [trial.fault for trial in seen.trials] == ["answered with 500"]


def test_an_error_with_more_than_its_text_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"error": "wrong", "trace": "secret"}
    monkeypatch.setattr(
        http_parsing.HttpError, "response", lambda refusal: http_parsing.json_response(told, refusal.status)
    )
    with listening() as (url, _):
        found = asyncio.run(fuzz.send_all(Address.of(url), range(20)))
    assert any("trace" in (trial.fault or "") for trial in found)


def test_a_server_without_a_limit_is_a_fault() -> None:
    with listening() as (url, _):  # by default a body may take longer, and there is room for many connections
        asked = limits.Tested(Address.of(url), SERVED, SERVED)
        assert asyncio.run(limits.crowd(asked))[0] == "answered with 200"
        assert asyncio.run(limits.output(asked))[0] is None


def test_overload_leaves_nothing_in_the_queue() -> None:
    with listening(UppercaseModel(seconds=0.02)) as (url, service):
        seen, _ = asyncio.run(overload.flood(Address.of(url), request("eins zwei"), count=300, idle=20))
        assert service.batcher.tokens == 0
    assert [trial.fault for trial in seen.trials if trial.fault] == []


def test_bytes_that_are_not_http_are_an_error_in_json() -> None:
    async def send(address: Address, data: bytes) -> tuple[int, list[str]]:
        async with Connection(address) as connection:
            connection.writer.write(data)
            answer = await connection.answer()
            return answer.status, list(answer.json)

    with listening() as (url, _):
        for data in (b"\x16\x03\x01garbage\r\n\r\n", b"POST /translate?q=" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n"):
            assert asyncio.run(send(Address.of(url), data)) == (400, ["error"])
