"""Pictures of the page that `nmt serve` shows, with the runs that are given side by side: on a desktop, in the dark, and on a telephone.

python tools/screenshots.py runs/attention runs/thought-vector --out docs

Needs Playwright (pip install 'nmt-recipes[checks]') and Chromium (apt-get install chromium).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tools.checks.page import Watched, browsing, until
from tools.checks.server import serving

LOOKS = {
    "page": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "page-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "page-phone": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light"},
}
"""What a browser is like for the picture of each name."""
SHOWN = "count => document.querySelectorAll('#results .words').length === count && document.querySelectorAll('#views table').length === count"
EXAMPLE = "#examples button:nth-of-type({})"


def main(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs to put side by side, three at most.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the pictures go.")] = Path("docs"),
    example: Annotated[int, typer.Option("--example", min=1, max=3, help="Which of the page's sentences.")] = 3,
    word: Annotated[
        int, typer.Option("--word", min=0, help="The word of the first translation that is pointed at, counted from 0.")
    ] = 12,
) -> None:
    """Take the pictures of the page that the README and docs/serving.md show."""
    with browsing() as browser, serving([run.resolve() for run in runs]) as (address, _):
        for name, look in LOOKS.items():
            tab = Watched(browser, f"{address.url}/", **look).tab
            _translate(tab, len(runs), EXAMPLE.format(example))
            tab.hover(f"#results .words >> nth=0 >> .word >> nth={word}")
            tab.wait_for_timeout(300)  # colours come gently
            tab.screenshot(path=out / f"{name}.png", full_page=True)
            print(out / f"{name}.png", file=sys.stderr)
            tab.close()


def _translate(tab: Any, models: int, example: str) -> None:
    """With all models, and waits until each has shown its translation and where it looked."""
    for model in range(2, models + 1):
        tab.check(f"#models label:nth-of-type({model}) input")
    tab.click(example)
    if not until(tab, SHOWN, models):
        raise SystemExit("the page did not show what it was asked for within a minute")


if __name__ == "__main__":
    typer.run(main)
