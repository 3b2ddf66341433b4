"""Recipes and overrides made by chance: each is read, or refused with its place, and never with a traceback."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st

from nmt.recipe import reading
from tools.checks.check import Trial
from tools.checks.command import nmt, within

AT_A_TIME = 200
SOUND = "data: {corpus: builtin}\ntraining: {updates: 5}\n"
FILE = "fuzz.yaml"
PLACED = re.compile(r"(nmt: )?(fuzz\.yaml(:\d+)?: |override .*: |and \d+ more$|'.*': cannot read)")
"""How a line of a refusal begins: with file and line, or with the override."""
OUR_FAULT = re.compile(r"^(Traceback|this is a fault in nmt)", re.MULTILINE)
"""At the beginning of a line: within one they may be an override, since hypothesis tries the strings of the program too."""
SECTIONS = json.loads(reading.schema())
KEYS = [*SECTIONS["properties"], *(key for section in SECTIONS["$defs"].values() for key in section["properties"])]

keys = st.sampled_from(KEYS) | st.sampled_from(KEYS).map(lambda key: key[:-1] + "x") | st.text(max_size=5)
odd = st.sampled_from(
    [
        "no",
        "yes",
        "on",
        "~",
        "1e-4",
        ".nan",
        "-.inf",
        "0x1F",
        "0o17",
        "1_000",
        "1e999",
        "9" * 400,
        "2001-01-01",
        "<<",
        "=",
        "!!python/object:os.system x",
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | odd
    | st.sampled_from(["recurrent", "transformer", "builtin"])
)
structures = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=20
)
snippets = st.lists(
    st.sampled_from(
        [
            "data",
            "model",
            "family",
            ": ",
            "\n",
            "  ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a ",
            "*a",
            "!!str ",
            "---\n",
            '"',
            "#",
            "1",
            "\t",
        ]
    )
)
bombs = st.sampled_from(
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "&a a: *a\n",
        "[" * 5000,
        "{a: " * 5000,
        "- " * 5000,
        "x" * 1_000_001,
        "data: {corpus: builtin}\ndata: {corpus: other}\n",
        '"\\UFFFFFFFF": 1',
        "%YAML 1.1\n---\na: 1\n",
    ]
)
lines = st.tuples(keys, scalars).map(lambda pair: f"{pair[0]}: {pair[1]}\n")
mixed = st.tuples(st.just(SOUND), st.lists(lines, max_size=3)).map(lambda pair: pair[0] + "".join(pair[1]))
texts = st.just(SOUND) | st.text(max_size=60) | structures.map(json.dumps) | snippets.map("".join) | bombs | mixed
overrides = st.text(max_size=20) | st.tuples(st.lists(keys, max_size=4).map(".".join), st.one_of(texts, odd)).map(
    "=".join
)


def trials(count: int) -> Iterator[Trial]:
    """Files that hypothesis makes up, each with up to three overrides, through `nmt recipe show`; some at a time, so that there is progress."""
    with tempfile.TemporaryDirectory(prefix="nmt-recipes-") as name, within(Path(name)):
        for start in range(0, count, AT_A_TIME):
            yield from _examples(start, min(AT_A_TIME, count - start))


def _examples(number: int, count: int) -> list[Trial]:
    found: list[Trial] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(text=texts, given_overrides=st.lists(overrides, max_size=3))
    def example(text: str, given_overrides: list[str]) -> None:
        found.append(
            Trial(f"{text[:80]!r} with {[each[:60] for each in given_overrides]}", _fault(text, given_overrides))
        )

    example()
    return found


def _fault(text: str, given_overrides: list[str]) -> str | None:
    Path(FILE).write_bytes(text.encode("utf-8", "surrogatepass"))
    outcome = nmt("recipe", "show", FILE, "--", *given_overrides)
    if OUR_FAULT.search(outcome.err) or outcome.status not in (0, 2):
        return f"exit {outcome.status}: {outcome.err[-200:]}"
    if outcome.status == 0:
        return None if outcome.out else "read, and nothing shown"
    unplaced = [line for line in outcome.err.splitlines() if not PLACED.match(line)]
    return f"no place in: {unplaced[0][:200]}" if unplaced or not outcome.err else None
