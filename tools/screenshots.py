"""Screenshots of the page of `nmt serve` with several runs side by side: on a desktop, in dark mode, and on a phone.

python tools/screenshots.py --out docs

By default it serves the two demo models. Needs Playwright (pip install 'nmt-recipes[checks]') and Chromium (apt-get
install chromium).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.runs import demo
from tools.checks.page import Watched, browsing, until
from tools.checks.server import serving

SCREENS = {
    "page": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "page-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "page-phone": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light"},
}
"""Settings of the browser for each screenshot."""
SHOWN = (
    "count => document.querySelectorAll('#results .words').length === count"
    " && document.querySelectorAll('#views table').length === count"
)
TEXT = (
    "Der alte Mann kocht heute Abend in der Küche, weil seine Frau müde ist, und die Kinder spielen im Garten mit dem "
    "Hund."
)


def main(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="Runs to show side by side, at most three.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the screenshots.")] = Path("docs"),
    text: Annotated[str, typer.Option("--text", help="The text to translate.")] = TEXT,
    word: Annotated[
        int, typer.Option("--word", min=0, help="The word of the first translation under the pointer, counted from 0.")
    ] = 11,
) -> None:
    """Take the screenshots of docs/serving.md."""
    served = [run.resolve() for run in runs or demo.BOTH]
    with browsing() as browser, serving(served) as (address, _):
        for name, screen in SCREENS.items():
            tab = Watched(browser, f"{address.url}/", **screen).tab
            _translate(tab, len(served), text)
            tab.hover(f"#results .words >> nth=0 >> .word >> nth={word}")
            tab.wait_for_timeout(300)  # colours fade in
            tab.screenshot(path=out / f"{name}.png", full_page=True)
            print(out / f"{name}.png", file=sys.stderr)
            tab.close()


def _translate(tab: Any, models: int, text: str) -> None:
    """Translates a text with all models, and waits until each shows its translation and its attention."""
    for model in range(2, models + 1):
        tab.check(f"#models label:nth-of-type({model}) input")
    tab.fill("#source", text)
    if not until(tab, SHOWN, models):
        raise SystemExit("the page did not show all translations within a minute")


if __name__ == "__main__":
    typer.run(main)
