"""The page in a browser: translating, pointing, comparing, themes, keyboard and phone; and no text becomes markup."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from nmt.runs.run_folder import Run
from nmt.serving import languages
from nmt.serving.admission import ApiKeys, Limits
from nmt.serving.models import Models, ServedModel
from nmt.serving.service import Service
from nmt.text import detection
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
    with browsing() as browser, mock.patch.object(detection, "available", return_value=False):
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
        seen = used(browser, f"{address.url}/", len(served) > 1) | examples(browser, f"{address.url}/docs")
    yield from (Trial(name, None if good else f"found {value}") for name, (value, good) in seen.items())
    seen = states(browser) | detected(browser) | keyed(browser)
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
        tab.click("#clear")
        tab.click("#examples button:nth-of-type(3)")
        fresh = (
            "document.getElementById('read').textContent.includes(document.getElementById('source').value.slice(0, 20))"
        )
        until(tab, f"{fresh} && document.querySelectorAll('#views table').length === 2")
    layout(tab, found)
    dark = []
    for _ in range(3):
        tab.click("#theme")
        dark.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    found["themes"] = (dark, len(set(dark)) == 2)
    unnamed = tab.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea')]"
        ".filter(each => !each.labels?.length && !each.textContent.trim()"
        " && !each.getAttribute('aria-label') && !each.getAttribute('aria-labelledby')).length"
    )
    found["controls without a name"] = (unnamed, unnamed == 0)
    links(browser, watched, found)
    found["requests outside"] = (watched.outside[:3], not watched.outside)
    found["errors and violations"] = (watched.faults[:3], not watched.faults)
    return found


def layout(tab: Any, found: Findings) -> None:
    """The places of text and translation on a desktop and on a telephone."""
    sizes = tab.evaluate("[...document.querySelectorAll('.pane')].map(pane => pane.getBoundingClientRect().width)")
    found["text and translation are equally wide"] = (sizes, abs(sizes[0] - sizes[1]) < 1)
    before = tab.viewport_size
    for width in (360, 768):
        tab.set_viewport_size({"width": width, "height": 740})
        wide = tab.evaluate("document.documentElement.scrollWidth")
        found[f"nothing scrolls sideways at {width}"] = (f"{wide} pixels", wide <= width)
    tab.set_viewport_size({"width": 360, "height": 740})
    text, translation = (tab.locator(box).first.bounding_box() for box in ("#source", "#results .words"))
    below = translation["y"] - text["y"] - text["height"]
    found["the translation is right under the text on a phone"] = (f"{below:.0f} pixels below", 0 < below < 150)
    tab.set_viewport_size(before)


def links(browser: Any, watched: Watched, found: Findings) -> None:
    """The text is in a copied link alone, with and without a clipboard interface, which needs TLS."""
    tab, text = watched.tab, watched.tab.input_value("#source")
    held = tab.evaluate("text => decodeURIComponent(location.href).includes(text.slice(0, 10))", text)
    found["the address does not hold the text"] = (held, not held)
    copied = []
    for secure in (True, False):
        tab.evaluate(
            """secure => {
                window.copied = null;
                const clipboard = secure ? { writeText: async text => { window.copied = text; } } : undefined;
                Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
                document.execCommand = () => { window.copied = document.activeElement.value; return true; };
            }""",
            secure,
        )
        for button in ("#link", "#results .card button"):
            tab.click(button)
            until(tab, "window.copied !== null", seconds=5)
            copied.append(tab.evaluate("window.copied"))
            tab.evaluate("window.copied = null")
    shown = tab.evaluate("document.querySelector('#results .words').textContent")
    found["copying works with and without TLS"] = (copied, copied[:2] == copied[2:] and copied[1] == shown)
    again = Watched(browser, copied[0])
    again.tab.wait_for_selector("#results .words .word")
    ticked = "[...document.querySelectorAll('#models input')].map(box => box.checked)"
    same = again.tab.input_value("#source") == text and again.tab.evaluate(ticked) == tab.evaluate(ticked)
    found["a link brings text and models back"] = (same, same)
    again.tab.close()
    tab.click("#clear")
    found["an emptied text empties the translation"] = (
        empty := until(tab, "!document.querySelector('#results .card') && document.getElementById('looking').hidden"),
        empty,
    )
    tab.click("#clear", force=True)  # it counts as disabled
    told = tab.inner_text("#status")
    found["a grey button says why"] = (told, told == "There is no text to clear.")


def states(browser: Any) -> Findings:
    """An old translation is dimmed, and cleared by a fault, which stands in its place."""
    found, live = Findings(), "document.getElementById('status')"
    service = Service(Models([Copying("one")]), Limits(characters=100), None)
    with listening(service) as address:
        watched = Watched(browser, f"{address.url}/", viewport={"width": 360, "height": 740})
        tab = watched.tab
        tab.evaluate(f"window.first = {live}")
        tab.fill("#source", "Ein Hund.")
        tab.wait_for_selector("#results .word")
        tab.focus("#source")
        tab.keyboard.type("x")
        old = tab.evaluate("document.getElementById('results').classList.contains('old')")
        found["an old translation is dimmed at the first key"] = (old, old)
        tab.fill("#source", "a" * 101)
        told = until(tab, f"{live}.textContent.startsWith('This text has 101 characters')")
        gone = tab.evaluate("!document.querySelector('#results .card')")
        found["a text beyond the limit clears the translation and says so"] = ((told, gone), told and gone)
        tab.fill("#source", "Ein Hund.")
        tab.wait_for_selector("#results .word")
    tab.fill("#source", "Zwei Hunde.")
    told = until(
        tab, f"{live}.textContent === 'The server does not answer.' && !document.getElementById('again').hidden"
    )
    gone = tab.evaluate("!document.querySelector('#results .card')")
    place = tab.locator("#status").bounding_box()["y"]
    found["a server that is gone clears the translation and says so there"] = (
        (told, gone, place),
        told and gone and place < 740,
    )
    same = tab.evaluate(f"window.first === {live}")
    found["the live region is one and the same"] = (same, same)
    tab.close()
    return found


def detected(browser: Any) -> Findings:
    """With several models, the language is asked once, and a text in the target language is not translated."""
    found = Findings()

    def identify(text: str, candidates: Sequence[str]) -> list[detection.Guess]:
        return [detection.Guess("en" if "the" in text else "es" if "el" in text else "de", 90.0)]

    with (
        mock.patch.object(detection, "available", return_value=True),
        mock.patch.object(languages, "identify", identify),
        listening(Service(Models([Copying("one"), Copying("other")]), Limits(), None)) as address,
    ):
        watched = Watched(browser, f"{address.url}/#from=auto&models=one,other")
        tab, asked = watched.tab, list[str]()

        def note(request: Any) -> None:
            if request.method == "POST":
                asked.append(request.url.rsplit("/", 1)[1])

        tab.on("request", note)
        tab.fill("#source", "the dog")
        told = until(
            tab, "document.getElementById('status').textContent.startsWith('The text looks like English already')"
        )
        found["a text in the target language is not translated"] = ((told, asked[:]), told and asked == ["detect"])
        tab.fill("#source", "el perro")
        told = until(tab, "document.getElementById('status').textContent.includes('no model from Spanish to English')")
        found["a text in a language without a model is not translated"] = (told, told)
        asked.clear()
        tab.fill("#source", "ein Hund")
        both = until(tab, "document.querySelectorAll('#results .card').length === 2")
        once = asked.count("detect") == 1 and asked.count("translate") == 2
        found["two models share one detection"] = ((both, asked), both and once)
        tab.close()
    return found


def keyed(browser: Any) -> Findings:
    """A server with keys: the page asks for one where it is to be typed."""
    keys = ApiKeys({"one": sha256(b"right").hexdigest()})
    with listening(Service(Models([Copying("one")]), Limits(), keys)) as address:
        tab = Watched(browser, f"{address.url}/").tab
        until(tab, "document.activeElement.id === 'key'", seconds=5)
        told, focus = [], tab.evaluate("document.activeElement.id")
        tab.fill("#source", "Ein Hund.")
        for key in ("", "wrong", "right"):
            tab.fill("#key", key)
            tab.press("#key", "Tab")
            tab.wait_for_timeout(600)
            told.append(tab.evaluate("document.getElementById('status').firstChild?.textContent ?? ''"))
        shown = tab.locator("#results .word").count() > 0
        tab.close()
    expected = ["Enter your API key above to translate.", "This API key is not accepted.", ""]
    return {"a key is asked for": ((focus, told, shown), (focus, told, shown) == ("key", expected, True))}


def examples(browser: Any, address: str) -> Findings:
    """The page of examples has the address and the languages of its server."""
    watched = Watched(browser, address)
    filled = until(watched.tab, "document.querySelector('.origin').textContent.startsWith('http')")
    text = watched.tab.inner_text("pre >> nth=0")
    watched.tab.close()
    right = filled and address.removesuffix("/docs") + "/translate" in text and not watched.faults
    return {"the examples are those of the server": ((text, watched.faults), right)}


def until(tab: Any, condition: str, argument: Any = None, seconds: float = 60) -> bool:
    """Whether a condition becomes true; Playwright's own wait needs eval, which the page forbids."""
    end = time.monotonic() + seconds
    while not (holds := bool(tab.evaluate(condition, argument))) and time.monotonic() < end:
        tab.wait_for_timeout(50)
    return holds
