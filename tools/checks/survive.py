"""Lines with things that must survive translation, from the templates of survive_templates.txt: interfaces, mails,
posts, invoices, manuals.

A thing is intact if it stands in the translation as often as in the line. It is in its place if the word behind it is
aligned to the word behind it in the source, or the one before it to the one before; words without an alignment are
passed over. At the beginning or the end of the source it may stand at that of the translation. Things themselves and
punctuation are no words. Of a model without alignment, things must keep their order.

The rest of each translation is compared with the translation of the line without its things, as the model translates it
unprotected: its BLEU must not be below that of the rest of unprotected translations of the whole lines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nmt.evaluation.metrics import bleu
from nmt.inference.open import open_translator
from nmt.inference.translator import Translation
from nmt.runs import demo
from nmt.runs.run_folder import Run
from tools.checks.check import Trial

TEMPLATES = Path(__file__).with_name("survive_templates.txt")
SEED = 15
LOST = "BLEU that the rest loses by protection"
_SLOT = re.compile(r"\{(\w+)\}")
_FIXED = re.compile(r"</?b>|\[(?=Anleitung)|\]\(\{url\}\)|^(?:> > |> |## |\* |- \[ \] |- |\d\. )")
"""Things that stand in templates themselves: tags, links and prefixes of lines."""
_WORD = re.compile(r"\w+")


class Line(NamedTuple):
    """A line, and where its things stand."""

    text: str
    things: list[tuple[int, int]]
    bare: str
    """The line without its things."""


def trials(count: int, runs: Sequence[Path] = ()) -> Iterator[Trial]:
    """A trial is a line; every run translates a share of them. Without runs, the demo model with attention does."""
    lines = list(made(count))
    runs = runs or (demo.ATTENTION,)
    for rank, run in enumerate(runs):
        yield from _tried(run, lines[rank :: len(runs)])


def _tried(run: Path, lines: Sequence[Line]) -> Iterator[Trial]:
    opened = Run(run)
    protected, plain = (
        open_translator(opened, "torch", search=opened.search_settings(keep_weights=True), protect=protect)
        for protect in (True, False)
    )
    found = protected.translate([line.text for line in lines])
    yield from (Trial(line.text, fault(line, each)) for line, each in zip(lines, found, strict=True))
    references = [each.text for each in plain.translate([line.bare for line in lines])]
    others = plain.translate([line.text for line in lines])
    scores = [
        bleu(
            [_rest(line, each.text) for line, each in zip(lines, every, strict=True)],
            references,
            opened.recipe.data.target,
        )
        for every in (found, others)
    ]
    measured = {"BLEU of the rest": scores[0], "BLEU of the rest unprotected": scores[1]}
    yield Trial(
        f"the rest of {len(lines)} lines by {run.name}", None, {**measured, LOST: max(0.0, scores[1] - scores[0])}
    )


def made(count: int) -> Iterator[Line]:
    """The same lines for the same count."""
    draw = random.Random(SEED)
    templates = [each for each in TEMPLATES.read_text(encoding="utf8").splitlines() if not each.startswith("# ")]
    for _ in range(count):
        yield _filled(draw.choice(templates), draw)


def _filled(template: str, draw: random.Random) -> Line:
    text, bare, things, at = "", "", [], 0
    for match in re.finditer(f"{_FIXED.pattern}|{_SLOT.pattern}", template):
        before = template[at : match.start()]
        thing = _SLOT.sub(lambda slot: KINDS[slot[1]](draw), match[0])
        things.append((len(text + before), len(text + before + thing)))
        text, bare, at = text + before + thing, bare + before, match.end()
    bare = re.sub(r"\(\s*\)", "", bare + template[at:])
    return Line(text + template[at:], things, re.sub(r"\s+(?=[.,:!?]|\s|$)|^\s+", "", bare))


def fault(line: Line, found: Translation) -> str | None:
    """What has happened to the things of a line; None where all are intact and in their places."""
    for start, end in line.things:
        thing = line.text[start:end]
        if line.text.count(thing) != found.text.count(thing):
            return f"{thing!r} is not intact in {found.text!r}"
    places = _places(line, found.text)
    if not found.alignment:
        return None if places == sorted(places) else f"out of order in {found.text!r}"
    source, target = _words(line.text, line.things), _words(found.text, places)
    links = {(_at(source, found.source_spans[one]), _at(target, found.spans[other])) for one, other in found.alignment}
    for own, new in zip(line.things, places, strict=True):
        if not _is_placed(own, new, source, target, links):
            return f"{line.text[slice(*own)]!r} is out of place in {found.text!r}"
    return None


def _is_placed(
    own: tuple[int, int],
    new: tuple[int, int],
    source: list[tuple[int, int]],
    target: list[tuple[int, int]],
    links: set[tuple[int | None, int | None]],
) -> bool:
    pairs = {(one, other) for one, other in links if one is not None and other is not None}
    aligned = {one for one, _ in pairs}
    behind = [place for place, word in enumerate(source) if word[0] >= own[1]]
    before = [place for place, word in enumerate(source) if word[1] <= own[0]]
    new_behind = next((place for place, word in enumerate(target) if word[0] >= new[1]), None)
    new_before = next((place for place in reversed(range(len(target))) if target[place][1] <= new[0]), None)
    if (not behind and new_behind is None) or (not before and new_before is None):
        return True
    following = next((place for place in behind if place in aligned), None)
    previous = next((place for place in reversed(before) if place in aligned), None)
    return (following, new_behind) in pairs or (previous, new_before) in pairs


def _places(line: Line, text: str) -> list[tuple[int, int]]:
    """Where each thing stands in a translation; of equal ones, the first stands first, and none within another."""
    found: dict[int, tuple[int, int]] = {}
    for rank, (start, end) in sorted(enumerate(line.things), key=lambda item: item[1][0] - item[1][1]):  # longest first
        hits = (match.span() for match in re.finditer(re.escape(line.text[start:end]), text))
        free = [hit for hit in hits if all(hit[1] <= first or last <= hit[0] for first, last in found.values())]
        found[rank] = free[0] if free else (len(text), len(text))
    return [found[rank] for rank in range(len(line.things))]


def _words(text: str, things: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where words stand, without those of things."""
    spans = [match.span() for match in _WORD.finditer(text)]
    return [span for span in spans if not any(start <= span[0] < end for start, end in things)]


def _at(words: Sequence[tuple[int, int]], span: tuple[int, int]) -> int | None:
    """The word of a piece."""
    return next((place for place, word in enumerate(words) if span[0] < word[1] and word[0] < span[1]), None)


def _rest(line: Line, text: str) -> str:
    """A translation without the things of its line."""
    for start, end in line.things:
        text = text.replace(line.text[start:end], " ", 1)
    return " ".join(re.sub(r"\(\s*\)", "", text).split())


def _integer(least: int, most: int) -> Callable[[random.Random], str]:
    return lambda draw: str(draw.randint(least, most))


def _of(*choices: str) -> Callable[[random.Random], str]:
    return lambda draw: draw.choice(choices)


def _money(draw: random.Random) -> str:
    amount = f"{draw.randint(1, 9999):,}".replace(",", ".") + f",{draw.randint(0, 99):02d}"
    return draw.choice([f"{amount} €", f"{amount} EUR", f"{draw.randint(13, 999)} €", f"${draw.randint(13, 999)}"])


def _date(draw: random.Random) -> str:
    day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(1990, 2030)
    return draw.choice([f"{day:02d}.{month:02d}.{year}", f"{day}.{month}.{year}", f"{year}-{month:02d}-{day:02d}"])


def _url(draw: random.Random) -> str:
    host = draw.choice(["https://example.org", "http://www.example.com", "https://shop.example.de", "www.example.net"])
    path = draw.choice(["", "/", "/hilfe.html", "/a/b?id=7&x=y", "/wiki/Hund_(Tier)", "/#start"])
    return host + path


def _measure(*units: str) -> Callable[[random.Random], str]:
    return lambda draw: draw.choice(["{}", "{},5", "1.{}"]).format(draw.randint(113, 999)) + " " + draw.choice(units)


KINDS: dict[str, Callable[[random.Random], str]] = {
    "account": lambda draw: f"DE{draw.randint(10, 99)} 3704 0044 0532 0130 {draw.randint(10, 99)}",
    "code": _of("`nmt train`", "`main()`", "`--beam 5`", "`ein_hund`", "`null`", "`x = 3`"),
    "date": _date,
    "duration": _measure("min", "s", "h", "ms"),
    "emoji": _of("😀", "🐕", "❤️", "👍🏽", "👨‍👩‍👧", "🇩🇪", "☀️", "🎉"),
    "field": _of("{name}", "{user_name}", "{{titel}}", "{0}", "${NAME}", "%(wort)s"),
    "file": _of("bild.jpg", "Brief_2.docx", "main.py", "daten-2024.csv", "README.md", "film.srt"),
    "format": _of("%s", "%d", "%1$s", "%2$d", "%@"),
    "handle": _of("@anna", "@max_m", "@eva@mastodon.social", "@bahn123"),
    "id": _of("RE-2024-0815", "AB-1234", "#4711", "2024/0815"),
    "length": _measure("cm", "m", "km", "mm"),
    "mail": _of("anna@example.org", "max.mustermann@example.de", "info+neu@shop.example.com"),
    "memory": _measure("GB", "MB", "GiB"),
    "money": _money,
    "number": _integer(13, 99999),
    "path": _of("/etc/hosts", "~/bilder/", "src/nmt/main.py", "C:\\Bilder\\hund.png", "docs/text.md"),
    "percent": lambda draw: f"{draw.randint(13, 99)}{draw.choice([' %', '%', ',5 %'])}",
    "phone": lambda draw: f"+49 30 {draw.randint(100000, 9999999)}",
    "size": lambda draw: f"{draw.randint(100, 4000)}x{draw.randint(100, 4000)}",
    "tag": _of("#Schnee", "#Hunde", "#Sommer2024"),
    "temperature": _of("-15 °C", "38,5 °C", "113 °F"),
    "time": lambda draw: f"{draw.randint(0, 23)}:{draw.randint(0, 59):02d}",
    "url": _url,
    "variable": _of("$HOME", "${PATH}", "OMP_NUM_THREADS"),
    "version": lambda draw: f"{draw.randint(1, 9)}.{draw.randint(10, 40)}.{draw.randint(0, 9)}",
    "weight": _measure("kg", "g", "t"),
}
