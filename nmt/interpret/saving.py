"""Views as files: SVG, PNG, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from nmt import atomic
from nmt.errors import UserError
from nmt.interpret import page, picture
from nmt.interpret.view import View
from nmt.lab.plotting import canvas

Content = tuple[bytes | str, list[str]]
FORMATS: dict[str, Callable[[View], Content]] = {
    ".svg": lambda view: picture.rendered(canvas.svg, view.matrix),
    ".png": lambda view: picture.rendered(canvas.png, view.matrix),
    ".html": lambda view: (page.html(view), []),
    ".json": lambda view: (json.dumps(view.as_json(), indent=1, ensure_ascii=False) + "\n", []),
}
"""What a file of each ending holds, and warnings about it."""


def check(out: Path) -> None:
    """Refuses to begin what could not be written."""
    if not _is_folder(out) and out.suffix.lower() not in FORMATS:
        raise UserError(f"--out: {out}: expected a folder, or a file that ends in {', '.join(FORMATS)}")
    if _is_folder(out) or out.suffix.lower() in (".svg", ".png"):
        canvas.check()


def save(view: View, out: Path) -> tuple[list[Path], list[str]]:
    """Writes the file, or into the folder one of each format, named after what is looked at; the paths, and warnings."""
    paths = [out / f"{view.kind}{ending}" for ending in FORMATS] if _is_folder(out) else [out]
    warnings = []
    for path in paths:
        content, found = FORMATS[path.suffix.lower()](view)
        atomic.write_file(path, content)
        warnings += found
    return paths, list(dict.fromkeys(warnings))


def _is_folder(out: Path) -> bool:
    return out.is_dir() or not out.suffix
