"""The page in a browser: translating, pointing, comparing, themes, keyboard and phone; and no text becomes markup."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from nmt.runs.run_folder import Run
from nmt.serving import languages
from nmt.serving.admission import Limits
from nmt.serving.models import Models, ServedModel
from nmt.serving.service import Service
from tools.checks.attacks import ATTACKS
from tools.checks.check import SkippedError, Trial
from tools.checks.echo import Copying, Echo
from tools.checks.server import listening

Findings = dict[str, tuple[Any, bool]]
"""A value and whether it is right, by name."""
LIT = (
    "box => [...document.querySelectorAll(box + ' .word')]"
    ".filter(word => !/, 0\\)$|\\/ 0\\)$/.test(getComputedStyle(word).backgroundColor)).length"
)
"""The number of words of a box with a visible background colour."""


class Watched:
    """A tab that records errors, dialogs and requests to other servers."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.tab, self.address = browser.new_page(**options), address
        self.outside: list[str] = []
        self.faults: list[str] = []
        self.tab.on("request", self._asked)
        self.tab.on("console", self._said)
        self.tab.on("pageerror", lambda error: self.faults.append(str(error)))
        self.tab.on("dialog", self._opened)
        self.tab.goto(address)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.outside.append(request.url)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _opened(self, dialog: Any) -> None:
        self.faults.append("a dialog")
        dialog.dismiss()

    @property
    def harmed(self) -> bool:
        """Whether a script in a text has run."""
        return bool(self.tab.evaluate("window.harmed === 1 || document.title === 'harmed'"))


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """The use of the page with the given runs, then ``count`` attacks on models that echo their input."""
    # Without detection, all input counts as German.
    with browsing() as browser, mock.patch.object(languages, "detection_available", return_value=False):
        yield from _use(browser, runs)
        yield from _attack(browser, ATTACKS[:count])


@contextmanager
def browsing() -> Iterator[Any]:
    """A Chromium that is closed at the end; `SkippedError` if there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if find_spec("playwright") is None or not chromium:
        raise SkippedError(
            "needs Playwright (pip install 'nmt-recipes[checks]') and Chromium (apt-get install chromium)"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def _use(browser: Any, runs: Sequence[Path]) -> Iterator[Trial]:
    served = [ServedModel(Run(path), path.resolve().name, Limits().output) for path in runs] or [
        Copying("one"),
        Copying("other"),
    ]
    with listening(Service(Models(served), Limits(), None)) as address:
        seen = used(browser, f"{address.url}/", len(served) > 1)
    yield from (Trial(name, None if good else f"found {value}") for name, (value, good) in seen.items())


def _attack(browser: Any, attacks: Sequence[str]) -> Iterator[Trial]:
    harm = "<script>window.harmed=1</script>"
    echo = [Echo(f"<img src=x onerror=window.harmed=1>{number}", target) for number, target in enumerate(("en", harm))]
    with listening(Service(Models(echo), Limits(), None)) as address:
        watched = Watched(browser, f"{address.url}/")
        yield from (Trial(attack, _harm(watched, attack)) for attack in attacks)


def _harm(watched: Watched, attack: str) -> str | None:
    """Types an attack, which the model echoes everywhere; returns the harm that it did, or None."""
    tab, shown = watched.tab, "document.querySelector('#results .words')?.textContent.trim() === "
    tab.fill("#source", attack + " a")
    tab.keyboard.press("Control+Enter")
    seen = until(tab, f"text => {shown} text.trim()", attack + " a", seconds=20)
    violations = [fault for fault in watched.faults if "status of 400" not in fault]
    told = [
        *(["it ran"] if watched.harmed else []),
        *([] if seen else ["it was not shown as it was typed"]),
        *watched.outside[:1],
        *violations[:1],
    ]
    watched.faults.clear()
    watched.outside.clear()
    return "; ".join(told) or None


def used(browser: Any, address: str, several: bool) -> Findings:
    """Uses all of the page, on a desktop and on a phone."""
    watched = Watched(browser, address, viewport={"width": 1280, "height": 900})
    tab, found = watched.tab, Findings()
    tab.click("#examples button:nth-of-type(2)")
    tab.wait_for_selector("#results .words .word")
    tab.wait_for_selector("#views table")
    found["a translation is shown"] = (tab.inner_text("#results .words >> nth=0"), True)
    for box, other, name in (
        ("#results .words >> nth=0", "#read", "target words light the source"),
        ("#read", "#results", "source words light the target"),
    ):
        tab.hover(f"{box} >> .word >> nth=1")
        tab.wait_for_timeout(300)  # colours fade in
        count = tab.evaluate(LIT, other)
        found[name] = (f"{count} words", count > 0)
    tab.focus("#read .word >> nth=0")
    tab.keyboard.press("ArrowRight")
    found["arrow keys walk"] = (second := tab.evaluate("document.activeElement.dataset.word"), second == "1")
    tab.mouse.move(0, 0)
    tab.focus("#results .word >> nth=-2")
    tab.wait_for_timeout(300)
    lit = tab.evaluate(LIT, "#read")
    found["a word with the focus lights too"] = (f"{lit} words", lit > 0)
    if several:
        tab.check("#models label:nth-of-type(2) input")
        both = until(
            tab,
            "document.querySelectorAll('#results .card').length === 2"
            " && document.querySelectorAll('#views table').length === 2",
        )
        found["two models stand side by side"] = (both, both)
        tab.click("#examples button:nth-of-type(3)")
        fresh = (
            "document.getElementById('read').textContent.includes(document.getElementById('source').value.slice(0, 20))"
        )
        until(tab, f"{fresh} && document.querySelectorAll('#views table').length === 2")
    dark = []
    for _ in range(3):
        tab.click("#theme")
        dark.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    found["themes"] = (dark, len(set(dark)) == 2)
    held = tab.evaluate(
        "new URLSearchParams(location.hash.slice(1)).get('q') === document.getElementById('source').value"
        " && location.search === ''"
    )
    found["the link holds the text in its fragment alone"] = (held, bool(held))
    again = Watched(browser, tab.url.replace("?", ""))
    again.tab.wait_for_selector("#results .words .word")
    found["a link brings the text back"] = (
        same := again.tab.input_value("#source") == tab.input_value("#source"),
        same,
    )
    again.tab.close()
    tab.set_viewport_size({"width": 375, "height": 812})
    wide = tab.evaluate("document.documentElement.scrollWidth")
    found["a telephone need not scroll sideways"] = (f"{wide} of 375 pixels", wide <= 375)
    unnamed = tab.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea')]"
        ".filter(each => !each.labels?.length && !each.textContent.trim()"
        " && !each.getAttribute('aria-label') && !each.getAttribute('aria-labelledby')).length"
    )
    found["controls without a name"] = (unnamed, unnamed == 0)
    found["requests outside"] = (watched.outside[:3], not watched.outside)
    found["errors and violations"] = (watched.faults[:3], not watched.faults)
    return found


def until(tab: Any, condition: str, argument: Any = None, seconds: float = 60) -> bool:
    """Whether a condition becomes true; Playwright's own wait needs eval, which the page forbids."""
    end = time.monotonic() + seconds
    while not (holds := bool(tab.evaluate(condition, argument))) and time.monotonic() < end:
        tab.wait_for_timeout(50)
    return holds
