"""Language codes and their English names."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


def name(code: str) -> str:
    """The English name of a language, or the code itself if it is not in the table."""
    known = names().get(base(code))
    if known is None:
        return code
    return known if code.lower() == base(code) else f"{known} ({code})"


def base(code: str) -> str:
    """The language without its region: ``pt`` of ``pt-BR`` and of ``pt_BR``."""
    return code.lower().replace("_", "-").partition("-")[0]


@lru_cache
def names() -> dict[str, str]:
    """English names by code."""
    text = (resources.files("nmt.text") / "languages.tsv").read_text("utf8")
    return dict(line.split("\t") for line in text.splitlines())
