"""Texts as sentences to translate and everything between them, which is kept: plain text and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree, html

_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+(?=\S)|[。！？][」』”’]*")  # noqa: RUF001 - the full stops of Chinese and Japanese are meant
"""Where a sentence may end. A match starts at the mark, so that hostile lines take linear time."""
_WORD = re.compile(r"\w{0,6}$")
_ABBREVIATION = re.compile(
    r"abb|abs|art|bd|bspw|bzgl|bzw|ca|dr|engl|evtl|fa|fig|fr|frl|ggf|hl|hr|inkl|ing|jh|kap|lat|max|min|mio|mrd|nr|phil"
    r"|prof|rd|s|sog|st|std|str|tel|vgl|vol|apr|aug|dec|dez|dept|est|etc|feb|gen|gov|inc|jan|jr|jul|jun|lt|ltd|mar|mme"
    r"|mlle|mr|mrs|ms|mt|nov|oct|okt|op|pp|rep|rev|sen|sep|sept|sr|vs"
)
"""Words whose full stop rarely ends a sentence, in German, English and French."""
KEPT = {"script", "style", "code", "pre", "kbd", "samp", "var", "textarea", "math", "svg", "template", "noscript"}
"""HTML elements whose text is not translated."""
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that a document may not contain."""
_DOCUMENT = re.compile(r"\s*(?:<!doctype|<html)\b", re.IGNORECASE)


class Passage:
    """A text as sentences and the gaps between them: line breaks, indents, spaces, and parts without letters."""

    def __init__(self, text: str) -> None:
        self.sentences: list[str] = []
        gaps: list[list[str]] = [[]]
        for part in _parts(text):
            if any(map(str.isalnum, part)):
                begin, end = len(part) - len(part.lstrip()), len(part.rstrip())
                gaps[-1].append(part[:begin])
                self.sentences.append(part[begin:end])
                gaps.append([part[end:]])
            else:
                gaps[-1].append(part)
        self._gaps = ["".join(gap) for gap in gaps]

    def joined(self, translations: Sequence[str]) -> str:
        """The text with each sentence replaced by its translation."""
        rest = zip(translations, self._gaps[1:], strict=True)
        return self._gaps[0] + "".join(translation + gap for translation, gap in rest)


class PlainText:
    """A document of one passage."""

    def __init__(self, text: str) -> None:
        self.passages = [Passage(text)]

    def rebuilt(self, texts: Sequence[str]) -> str:
        """The text of the passage."""
        (text,) = texts
        return text


class HtmlDocument:
    """A document or a fragment of HTML: passages, and the tags between them.

    Text in `KEPT` elements, and within ``translate="no"`` or the class ``notranslate``, is not translated.
    """

    def __init__(self, text: str) -> None:
        text = _ILLEGAL.sub("\ufffd", text)
        self._whole = bool(_DOCUMENT.match(text))
        self._root = (
            html.document_fromstring(text) if self._whole else html.fragment_fromstring(text, create_parent="div")
        )
        # A place is an element and one of its two texts: the one inside it, or the one behind it.
        self._places = list(_places(self._root))
        self.passages = [Passage(getattr(element, side)) for element, side in self._places]

    def rebuilt(self, texts: Sequence[str]) -> str:
        """The same tags with each passage replaced by a text."""
        for (element, side), text in zip(self._places, texts, strict=True):
            setattr(element, side, _ILLEGAL.sub("", text))
        if self._whole:
            return str(html.tostring(self._root.getroottree(), encoding="unicode"))
        written = str(html.tostring(self._root, encoding="unicode"))
        return written.removeprefix("<div>").removesuffix("</div>")


def _parts(text: str) -> Iterator[str]:
    """Sentences with the white space behind them; joined, they are the text."""
    for line in re.split(r"(?<=\n)", text):
        start = 0
        for found in _END.finditer(line):
            if not _continues(found):
                yield line[start : found.end()]
                start = found.end()
        yield line[start:]


def _continues(end: re.Match[str]) -> bool:
    """Whether the sentence continues: before a small letter, and after an initial, an ordinal or an abbreviation."""
    line, at = end.string, end.start()
    if line[end.end() : end.end() + 1].islower():
        return True
    word = _WORD.search(line, max(0, at - 6), at)
    return line[at] == "." and word is not None and _is_shortened(word[0].casefold())


def _is_shortened(word: str) -> bool:
    return (
        (word.isdigit() and len(word) <= 2)
        or (word.isalpha() and len(word) == 1)
        or bool(_ABBREVIATION.fullmatch(word))
    )


def _places(element: Any) -> Iterator[tuple[Any, str]]:
    """All texts to translate in document order, without recursion, since hostile trees are deep."""
    kept = 0  # enclosing elements that are not translated
    for event, each in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        if event == "start":
            kept += _is_kept(each)
            if not kept and each.text:
                yield each, "text"
            continue
        if event == "end":
            kept -= _is_kept(each)
        if not kept and each.tail:
            yield each, "tail"


def _is_kept(element: Any) -> bool:
    return (
        element.tag in KEPT
        or element.get("translate", "").lower() == "no"
        or "notranslate" in element.get("class", "").split()
    )
