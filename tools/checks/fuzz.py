"""Strange requests: none may be answered with 500, every error is ``{"error": ...}``, and the server lives on.

    python -m tools.checks.fuzz runs/de-en

Bodies made here go first; then schemathesis, if it is installed (``pip install schemathesis``), reads the OpenAPI document of the server.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from tools.checks.client import Address, Answer, Connection, ask, serving, verdict

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
    *({"q": "a"}, "\u202eabc", "\uff05\uff53", "{{7*7}}", "../../etc/passwd", "' OR 1=1 --", "ﷺ" * 50, "a\u0301" * 100),
]
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


def body(draw: random.Random) -> tuple[str, bytes]:
    """A content type, and bytes that more or less are of it."""
    fields = {"q": "Ein Hund.", "source": "de", "target": "en"} if draw.random() < 0.7 else {}
    fields |= {draw.choice(NAMES): draw.choice(VALUES) for _ in range(draw.randrange(4))}
    kind = draw.choice(KINDS)
    if kind == KINDS[1]:
        data = "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf8", "replace")
    elif kind.startswith("multipart"):
        parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
        data = ("".join(parts) + "--x--\r\n").encode("utf8", "replace")
    else:
        data = json.dumps(fields).encode()
    if draw.random() < 0.3:
        data = _damaged(data, draw)
    return kind, data


def _damaged(data: bytes, draw: random.Random) -> bytes:
    """Cut, with bytes changed, nested too deep, in another encoding, or nothing that was meant."""
    at = draw.randrange(len(data) + 1)
    text = data.decode("utf8", "replace")
    ways = [
        data[:at],
        data[:at] + draw.randbytes(3) + data[at:],
        b"[" * 50_000,
        text.encode("utf-16"),
        b"\xef\xbb\xbf" + data,
        draw.randbytes(50),
        data * 3,
        b"",
    ]
    return draw.choice(ways)


def raw(draw: random.Random) -> bytes:
    """A whole request, with or without a length."""
    kind, data = body(draw)
    path = draw.choice(PATHS) + draw.choice(["", "", "?q=a", "?q=%ff%fe&source=de&target=en", "?" + "a&" * 200])
    head = f"POST {path} HTTP/1.1\r\nHost: check\r\nContent-Type: {kind}\r\n"
    if draw.random() < 0.2:
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + b"0\r\n\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


async def throw(address: Address, count: int, seed: int = 1) -> tuple[Counter[int], list[str]]:
    """Sends so many requests; the statuses, and what was wrong about answers."""
    draw, statuses, wrong = random.Random(seed), Counter[int](), []
    connection = await Connection(address).__aenter__()
    for number in range(count):
        sent = raw(draw)
        connection.writer.write(sent)
        try:
            answer = await asyncio.wait_for(connection.answer(), 60)
        except (OSError, TimeoutError) as error:
            wrong.append(f"{number}: {type(error).__name__} after {sent[:200]!r}")
            answer = None
        if answer:
            statuses[answer.status] += 1
            if not _sound(answer):
                wrong.append(f"{number}: {answer.status} {answer.body[:100]!r} after {sent[:300]!r}")
        if answer is None or answer.headers.get("connection") == "close":
            connection.writer.close()
            connection = await Connection(address).__aenter__()
    connection.writer.close()
    if (await ask(address, "/health")).status != 200:
        wrong.append("the server is not well")
    return statuses, wrong


def _sound(answer: Answer) -> bool:
    if answer.status not in EXPECTED:
        return False
    value = answer.json
    return answer.status == 200 or (list(value) == ["error"] and isinstance(value["error"], str))


def main(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    count: Annotated[int, typer.Option(help="Bodies made here.")] = 10_000,
    examples: Annotated[int, typer.Option(help="Of schemathesis, for each operation.")] = 200,
) -> None:
    """Throws strange requests at a server."""
    with serving([run]) as (address, _):
        statuses, wrong = asyncio.run(throw(address, count))
        findings: dict[str, tuple[Any, bool]] = {"statuses": (dict(statuses), True), "wrong": (f"{len(wrong)} {wrong[:3]}", not wrong)}
        if find_spec("schemathesis"):
            command = [
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                f"{address.url}/openapi.json",
                "--max-examples",
                str(examples),
                "--generation-deterministic",
            ]
            checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
            done = subprocess.run([*command, "--checks", checks], capture_output=True, text=True, check=False)
            print(done.stdout[-3000:])
            findings["schemathesis"] = (f"status {done.returncode}", done.returncode == 0)
        else:
            print("schemathesis is not installed and was left out")
        findings["alive"] = ((status := asyncio.run(ask(address, "/health")).status), status == 200)
    raise typer.Exit(verdict(findings))


if __name__ == "__main__":
    typer.run(main)
