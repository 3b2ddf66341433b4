"""Malformed and unusual requests: no server error, every error is ``{"error": ...}``, and the server stays alive."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.checks.check import Trial
from tools.checks.client import Address, Answer, Connection, ask
from tools.checks.served_run import ServedRun, served_runs
from tools.checks.server import serving

AT_A_TIME = 200
PATIENCE = 60
"""Seconds after which a request counts as unanswered."""

VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        10**30,
        [],
        {},
        "",
        " ",
        "a",
        "de",
        "en",
        "auto",
        "AUTO",
        "zz",
        "html",
        "xml",
        "attention",
        "gates",
        "1",
        "-1",
        "x",
    ),
    *(
        "\ud800",
        "\x00",
        "\u2028",
        "\r\n",
        "😀",
        "<b>a</b>",
        "<",
        "&",
        "a" * 6000,
        "ä. " * 900,
        "((((" * 900,
        ["a", "b"],
        ["a", None],
        [[]],
        ["a"] * 200,
    ),
    [""] * 200_000,
    *({"q": "a"}, "\u202eabc", "\uff05\uff53", "{{7*7}}", "../../etc/passwd", "' OR 1=1 --", "ﷺ" * 50, "a\u0301" * 100),
]
HTML = [
    *("<!doctype html>", "<html", "<HTML ", "<!doctype", "<!doctype html><!-- a -->", "<![CDATA[", "<?a?>", "<title>"),
    *(
        "</p></body></html>\n<p>a",
        "<b>" * 600 + "a",
        "<p>a</p>" * 2 + "<html><body>b",
        "<!--",
        "&#0;&#xD800;",
        "<svg><p>",
    ),
]
"""Documents that begin or end unlike a part of one."""
FILES = [
    *(("a.md", "# a *b*\n\n[c](d) `e`\n| f |\n|---|\n"), ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n- a\n<i>b\n")),
    *(("a.po", 'msgid "a %s"\nmsgstr ""\n'), ("a.po", 'msgid "\nmsgstr'), ("a.txt", "a\0b"), ("a.docx", "PK\x03\x04")),
    *(("", "a"), ("../a.txt", "a"), ("a" * 300 + ".HTML", "<p>a"), *(("a.html", document) for document in HTML)),
]
"""Files to upload: names and contents."""
NAMES = ("q", "source", "target", "format", "alternatives", "details", "model", "kind", "api_key", "x")
KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "application/xml",
)
PATHS = ("/translate", "/translate", "/detect", "/inspect", "/suggest", "/translate_file", "/languages", "/no")
EXPECTED = {200, 400, 403, 404, 405, 408, 413, 503, 504}


def body(rng: random.Random) -> tuple[str, bytes]:
    """A content type, and a body that may not match it."""
    fields = {"q": "Ein Hund.", "source": "de", "target": "en"} if rng.random() < 0.7 else {}
    if rng.random() < 0.3:
        fields |= {"format": "html", "q": rng.choice(HTML)}
    fields |= {rng.choice(NAMES): rng.choice(VALUES) for _ in range(rng.randrange(4))}
    kind = rng.choice(KINDS)
    if kind == KINDS[1]:
        data = "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf8", "replace")
    elif kind.startswith("multipart"):
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
        ]
        if rng.random() < 0.7:
            name, text = rng.choice(FILES)
            parts.append(f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{text}\r\n')
        data = ("".join(parts) + "--x--\r\n").encode("utf8", "replace")
    else:
        data = json.dumps(fields).encode()
    if rng.random() < 0.3:
        data = _damaged(data, rng)
    return kind, data


def _damaged(data: bytes, rng: random.Random) -> bytes:
    """The body truncated, with random bytes, in another encoding, or replaced."""
    at = rng.randrange(len(data) + 1)
    text = data.decode("utf8", "replace")
    ways = [
        data[:at],
        data[:at] + rng.randbytes(3) + data[at:],
        b"[" * 50_000,
        text.encode("utf-16"),
        b"\xef\xbb\xbf" + data,
        rng.randbytes(50),
        data * 3,
        b"",
    ]
    return rng.choice(ways)


def raw(rng: random.Random) -> bytes:
    """A whole request with a length, chunked, or both; now and then bytes that are not HTTP."""
    if rng.random() < 0.02:
        return rng.randbytes(50) + b"\r\n\r\n"
    kind, data = body(rng)
    path = rng.choice(PATHS) + rng.choice(["", "", "?q=a", "?q=%ff%fe&source=de&target=en", "?" + "a&" * 200])
    head = f"POST {path} HTTP/1.1\r\nHost: check\r\nContent-Type: {kind}\r\n"
    if rng.random() < 0.2:
        head += "Content-Length: 1\r\n" if rng.random() < 0.2 else ""
        return (
            f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
            + (b"%x\r\n%b\r\n" % (len(data), data) if data else b"")
            + b"0\r\n\r\n"
        )
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """Random requests on one connection as long as it stays open, and a request to /health now and then; before them,
    each document of `HTML` in a list with a sentence."""
    with served_runs(runs) as found, serving([found[0].path]) as (address, _):
        yield from asyncio.run(send_documents(address, found[0]))
        for start in range(0, count, AT_A_TIME):
            yield from asyncio.run(send_all(address, range(start, min(start + AT_A_TIME, count))))


async def send_documents(address: Address, served: ServedRun) -> list[Trial]:
    """Sends each document beside a sentence, whose translation may not fail with it."""
    found = []
    for document in HTML:
        answer = await ask(address, "/translate", served.request(["Ein Hund.", document], format="html"))
        sound = _sound(answer, b"") and (answer.status == 400 or len(answer.json["translatedText"]) == 2)
        found.append(Trial(f"beside {document[:60]!r}", None if sound else f"{answer.status} {answer.body[:100]!r}"))
    return found


async def send_all(address: Address, numbers: range) -> list[Trial]:
    """Sends the requests of these numbers."""
    found = []
    connection = await Connection(address).__aenter__()
    for number in numbers:
        sent = raw(random.Random(f"fuzz {number}"))
        connection.writer.write(sent)
        answer, fault = None, None
        try:
            answer = await asyncio.wait_for(connection.answer(), PATIENCE)
            fault = None if _sound(answer, sent) else f"{answer.status} {answer.headers} {answer.body[:100]!r}"
        except (OSError, TimeoutError, ValueError) as error:
            fault = f"{type(error).__name__}: {error}"
        found.append(Trial(f"request {number}, {sent[:300]!r}", fault))
        if answer is None or answer.headers.get("connection") == "close":
            connection.writer.close()
            connection = await Connection(address).__aenter__()
    connection.writer.close()
    if (status := (await ask(address, "/health")).status) != 200:
        found[-1] = found[-1]._replace(fault=f"/health is answered with {status} after it")
    return found


def _sound(answer: Answer, sent: bytes) -> bool:
    head = sent.partition(b"\r\n\r\n")[0]
    closes = answer.headers.get("connection") == "close"
    if answer.status not in EXPECTED or (b"Transfer-Encoding" in head and b"Content-Length" in head and not closes):
        return False
    value = answer.json
    return answer.status == 200 or (list(value) == ["error"] and isinstance(value["error"], str))
