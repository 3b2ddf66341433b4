"""Subtitles in SubRip (.srt): the text of a cue is one block; numbers, times and tags are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from nmt.documents.document import Document, Part
from nmt.documents.inline import InlineText
from nmt.documents.tags import tokens

_TIME = re.compile(r"\s*\d+:\d+:\d+[,.]\d+\s*-->\s*\d+:\d+:\d+[,.]\d+")
_SPEAKER = re.compile(r"\s*[-–—]\s*")  # noqa: RUF001 - dashes as they are printed
_OVERRIDE = re.compile(r"(\{\\[^}]*\})")
"""A position or a style, such as ``{\\an8}``."""
_WORD = re.compile(r"(?:<[^>]*>|\{[^}]*\}|\S)+")
"""What may not be broken over two lines; tags hold spaces."""


class SubtitleDocument(Document):
    """Cues. A cue of several lines is a sentence that was broken to fit the screen, so it is translated as a whole and
    broken into as many lines again; lines that begin with a dash are of several speakers, each translated by itself.
    """

    def __init__(self, text: str) -> None:
        super().__init__(list(_parts(text.split("\n"))))


def _parts(lines: list[str]) -> Iterator[Part]:
    cue: list[str] | None = None  # the lines of the current cue
    for number, line in enumerate(lines):
        end = "\n" * (number + 1 < len(lines))
        if cue is not None and line.strip():
            cue.append(line + end)
            continue
        yield from _cue(cue or [])
        cue = [] if _TIME.match(line) else None
        yield line + end
    yield from _cue(cue or [])


def _cue(lines: list[str]) -> Iterator[Part]:
    speakers = [_SPEAKER.match(line) for line in lines]
    if not any(speakers):
        yield from _block(lines)
        return
    for line, speaker in zip(lines, speakers, strict=True):
        end = speaker.end() if speaker else 0
        yield line[:end]
        yield from _block([line[end:]])


def _block(lines: list[str]) -> Iterable[Part]:
    run = InlineText(str, partial(_broken, count=len(lines)))
    for token in tokens("".join(lines)):
        if token.kind == "text":
            _add_text(run, token.source)
        elif token.kind == "start":
            run.open(token.name, [token.source])
        elif token.kind == "end":
            run.close(token.name, [token.source])
        else:
            run.mark([token.source])
    return run.parts()


def _add_text(run: InlineText, text: str) -> None:
    for place, part in enumerate(_OVERRIDE.split(text)):
        if place % 2:
            run.mark([part])
        elif part:
            run.add_text(part, part)


def _broken(text: str, count: int) -> str:
    """The text in at most ``count`` lines, as short as possible."""
    words = _WORD.findall(text)
    width = max(map(len, words), default=0)
    while len(lines := list(_filled(words, width))) > count:
        width += 1
    return "\n".join(lines)


def _filled(words: list[str], width: int) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
