"""A document: blocks of text to translate, and everything between them, which is kept as it stands in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from nmt import printable
from nmt.inference.translator import Translation


class Block:
    """A text to translate, and how its translation is written."""

    def __init__(self, text: str, write: Callable[[str], str] = str) -> None:
        """`write` spells plain text in the format of the document."""
        self.text, self.write = text, write

    def inner(self) -> Iterator[Block]:
        """Blocks that stand within the markup of this one."""
        return iter(())

    def written(self, translations: Translations) -> str:
        """The translation in the format of the document."""
        return self.write(cleaned(translations[self]).text)


Part: TypeAlias = str | Block
"""What stands in the source, or a block."""
Translations: TypeAlias = Mapping[Block, Translation]


class Document:
    """Parts in order; joined, they are the source with the text of each block in its place."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self._found = list(_blocks(parts))
        self.blocks = [block.text for block in self._found]
        """The texts to translate."""

    def rebuilt(self, translations: Sequence[Translation]) -> str:
        """The document with each block replaced by its translation."""
        return joined(self.parts, dict(zip(self._found, translations, strict=True)))


class PlainText(Document):
    """A document of one block, the text itself."""

    def __init__(self, text: str) -> None:
        super().__init__([Block(text)])


class Enclosed(Document):
    """A document behind a byte order mark or none, and with line ends of its own."""

    def __init__(self, document: Document, mark: str, newline: str) -> None:
        self._document, self._mark, self._newline = document, mark, newline
        self.blocks = document.blocks

    def rebuilt(self, translations: Sequence[Translation]) -> str:
        return self._mark + self._document.rebuilt(translations).replace("\n", self._newline)


def joined(parts: Iterable[Part], translations: Translations) -> str:
    """The parts with each block replaced by its translation."""
    return "".join(part if isinstance(part, str) else part.written(translations) for part in parts)


def cleaned(translation: Translation) -> Translation:
    """The translation without control characters; where there are any, its alignment is lost with them."""
    text = printable.without_controls(translation.text)
    return translation if text == translation.text else Translation(translation.source, text)


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit to translate."""
    return any(map(str.isalnum, text))


def _blocks(parts: Iterable[Part]) -> Iterator[Block]:
    for part in parts:
        if not isinstance(part, str):
            yield from part.inner()
            yield part
