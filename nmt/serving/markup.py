"""HTML whose text is translated and whose tags are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree, html

from nmt.serving.passages import Passage

KEPT = {"script", "style", "code", "pre", "kbd", "samp", "var", "textarea", "math", "svg", "template", "noscript"}
"""Elements whose text is no prose, or not to be touched."""
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that no document may hold."""
_DOCUMENT = re.compile(r"\s*(?:<!doctype|<html)\b", re.IGNORECASE)


class Markup:
    """A document or a fragment, taken apart into the passages between its tags.

    Text in `KEPT` elements, and within ``translate="no"`` or the class ``notranslate``, stays as it is.
    """

    def __init__(self, text: str) -> None:
        text = _ILLEGAL.sub("\ufffd", text)
        self._whole = bool(_DOCUMENT.match(text))
        self._root = (
            html.document_fromstring(text) if self._whole else html.fragment_fromstring(text, create_parent="div")
        )
        # A place is an element and which of its two texts is meant: that inside it, or that behind it.
        self._places = list(_places(self._root))
        self.passages = [Passage(getattr(element, side)) for element, side in self._places]

    def rebuilt(self, texts: Sequence[str]) -> str:
        """The same tags with a text in the place of each passage."""
        for (element, side), text in zip(self._places, texts, strict=True):
            setattr(element, side, _ILLEGAL.sub("", text))
        if self._whole:
            return str(html.tostring(self._root.getroottree(), encoding="unicode"))
        written = str(html.tostring(self._root, encoding="unicode"))
        return written.removeprefix("<div>").removesuffix("</div>")


def _places(element: Any) -> Iterator[tuple[Any, str]]:
    """All texts to translate, in the order of the document; the depth of the tree is no matter."""
    kept = 0  # how many of the elements around us are to be left alone
    for event, each in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        if event == "start":
            kept += _left_alone(each)
            if not kept and each.text:
                yield each, "text"
            continue
        if event == "end":
            kept -= _left_alone(each)
        if not kept and each.tail:
            yield each, "tail"


def _left_alone(element: Any) -> bool:
    return (
        element.tag in KEPT
        or element.get("translate", "").lower() == "no"
        or "notranslate" in element.get("class", "").split()
    )
