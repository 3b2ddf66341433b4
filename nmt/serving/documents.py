"""Texts as blocks to translate and everything between them, which is kept: plain text and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree, html

from nmt.inference.translator import Translation

KEPT = {"script", "style", "code", "pre", "kbd", "samp", "var", "textarea", "math", "svg", "template", "noscript"}
"""HTML elements whose text is not translated."""
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that a document may not contain."""
_DOCUMENT = re.compile(r"\s*(?:<!doctype|<html)\b", re.IGNORECASE)


class PlainText:
    """A document of one block, the text itself."""

    def __init__(self, text: str) -> None:
        self.blocks = [text]

    def rebuilt(self, translations: Sequence[Translation]) -> str:
        """The translated text."""
        (translation,) = translations
        return translation.text


class HtmlDocument:
    """A document or a fragment of HTML: blocks of text to translate, and the tags between them.

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
        self.blocks = [str(getattr(element, side)) for element, side in self._places]

    def rebuilt(self, translations: Sequence[Translation]) -> str:
        """The same tags with each block replaced by its translation."""
        for (element, side), translation in zip(self._places, translations, strict=True):
            setattr(element, side, _ILLEGAL.sub("", translation.text))
        if self._whole:
            return str(html.tostring(self._root.getroottree(), encoding="unicode"))
        written = str(html.tostring(self._root, encoding="unicode"))
        return written.removeprefix("<div>").removesuffix("</div>")


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
