"""The formats that are translated as documents, by the ending of a file, and what is refused since it is no text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.documents.document import Document

ENDINGS = (".html", ".htm", ".md", ".markdown", ".srt", ".po")
"""Endings of documents."""
UPLOADED = (".txt", *ENDINGS)
"""Endings of files that a server translates."""
SAME = {".htm": ".html", ".markdown": ".md"}
"""Endings that name the format of another."""
HANDLED = "documents .html, .htm, .md, .markdown, .srt and .po, and plain text line by line"
_BINARY = (
    ".doc .docx .dot .dotx .odt .ott .pages .rtf .pdf .ps .epub .mobi .azw3 .djvu .xls .xlsx .ods .ppt .pptx .odp",
    ".zip .7z .rar .tar .tgz .bz2 .xz .zst .jar .png .jpg .jpeg .gif .webp .svg .tif .tiff .mp3 .ogg .wav .mp4 .mkv",
)
_STRUCTURED = ".xml .xhtml .xliff .xlf .tmx .ts .json .jsonl .yaml .yml .csv .tsv .vtt .ass .ssa .ttml .tex .rst .ipynb"
"""Text whose lines are no sentences."""
_SIGNATURES = {
    b"PK\x03\x04": "a zip file, as Word, LibreOffice and EPUB write",
    b"%PDF-": "a PDF file",
    b"\xd0\xcf\x11\xe0": "a file of an old Microsoft Office",
    b"{\\rtf": "an RTF file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x7fELF": "a program",
    b"7z\xbc\xaf": "a 7z file",
    b"Rar!\x1a": "a RAR file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
}


_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = "\ufeff"


def ending_of(name: str) -> str:
    """The ending of a document, without .gz; empty for plain text. Others are a `UserError`."""
    path = Path(name)
    ending = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    if ending in " ".join((*_BINARY, _STRUCTURED)).split():
        plain = "; translate its lines as plain text by giving it on stdin" if ending in _STRUCTURED.split() else ""
        raise UserError(f"{name}: {ending} is not handled; handled are {HANDLED}{plain}")
    return ending if ending in ENDINGS else ""


def check_output(ending: str, output: Path) -> None:
    """Refuses an output with an ending of another format than the document's."""
    found = output.suffix.lower()
    if found and SAME.get(found, found) != SAME.get(ending, ending):
        raise UserError(f"--output: {output} is written in the format of the input; expected the ending {ending}")


def check_lines(name: str, lines: Sequence[bytes], number: int = 0) -> None:
    """Refuses what is no text; ``number`` lines came before."""
    if number == 0 and lines:
        kind = next((kind for signature, kind in _SIGNATURES.items() if lines[0].startswith(signature)), None)
        if kind:
            raise UserError(f"{name}: this is {kind}, not text; handled are {HANDLED}")
    for place, line in enumerate(lines, number + 1):
        if b"\0" in line:
            utf16 = " (UTF-16 is converted by: iconv -f UTF-16 -t UTF-8)" if lines[0][:2] in _UTF16 else ""
            raise UserError(f"{name}:{place}: NUL byte, so this is not text; handled are {HANDLED}{utf16}")


def open_document(name: str, ending: str, data: bytes) -> Document:
    """Parses UTF-8 bytes as the format of a file ending; ``.txt`` is plain text. ``name`` names the file in errors."""
    check_lines(name, data.split(b"\n"))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name}:{line}: invalid UTF-8; convert it: iconv -f WINDOWS-1252 -t UTF-8") from error
    mark = _BOM * text.startswith(_BOM)
    body = text.removeprefix(_BOM)
    ended = ending not in (".html", ".htm") and "\r\n" in body
    from nmt.documents.document import Enclosed

    document = _opened(ending, body.replace("\r\n", "\n") if ended else body)
    return Enclosed(document, mark, "\r\n" if ended else "\n")


def _opened(ending: str, text: str) -> Document:
    from nmt.documents.document import PlainText
    from nmt.documents.gettext import GettextDocument
    from nmt.documents.html import HtmlDocument
    from nmt.documents.markdown import MarkdownDocument
    from nmt.documents.subtitles import SubtitleDocument

    kinds = {
        ".txt": PlainText,
        ".html": HtmlDocument,
        ".md": MarkdownDocument,
        ".srt": SubtitleDocument,
        ".po": GettextDocument,
    }
    return kinds[SAME.get(ending, ending)](text)
