"""The page in a real browser: it types, reads, points, compares, switches theme, shrinks to a phone, and no text of any kind becomes markup.

    pip install playwright && apt-get install chromium
    python -m tools.checks.page runs/de-en runs/de-en-thought-vector --screenshots pictures

Without Playwright or Chromium it says so and leaves with status 0.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from nmt.runs import Run
from nmt.serving import languages
from nmt.serving.batcher import Work
from nmt.serving.limits import Limits
from nmt.serving.models import Models, Served
from nmt.serving.service import Service
from nmt.translator import Translation
from tools.checks.client import verdict
from tools.checks.poison import listening

Findings = dict[str, tuple[Any, bool]]
ATTACKS = [
    template.format(code)
    for code in ("window.harmed=1", "window.harmed&#61;1", "fetch('https://outside.invalid')", "document.title='harmed'", "alert(1)")
    for template in (
        *(
            "<script>{}</script>",
            "<img src=x onerror={}>",
            "<svg onload={}>",
            "<svg><script>{}</script></svg>",
            "'><script>{}</script>",
            '"><img src=x onerror="{}">',
        ),
        *(
            "javascript:{}",
            "<a href='javascript:{}'>a</a>",
            "<iframe srcdoc='<script>{}</script>'></iframe>",
            "<body onload={}>",
            "<input autofocus onfocus={}>",
        ),
        *(
            "<details open ontoggle={}>a</details>",
            "<video><source onerror={}></video>",
            "</textarea><script>{}</script>",
            "</script><script>{}</script>",
        ),
        *(
            "<math><mtext></table><script>{}</script>",
            "<style>@import 'https://outside.invalid';</style>{}",
            "<base href='https://outside.invalid/'>{}",
        ),
        *("<marquee onstart={}>a</marquee>", "${{{0}}}`{0}`", "<template><script>{}</script></template>", "<object data='javascript:{}'></object>"),
        *(
            "<form action='javascript:{}'><button autofocus>a",
            "<link rel=stylesheet href='https://outside.invalid/{}'>",
            "\\u003cscript\\u003e{}\\u003c/script\\u003e",
        ),
        *(
            "&lt;script&gt;{}&lt;/script&gt;",
            "<scr<script>ipt>{}</scr</script>ipt>",
            "<ScRiPt>{}</sCrIpT>",
            "<img src='https://outside.invalid/a.png' alt=\"{}\">",
        ),
        *(
            "<div style='background:url(https://outside.invalid)'>{}</div>",
            "{{{{constructor.constructor('{}')()}}}}",
            "<p id='status'>{}</p>",
            "<embed src='javascript:{}'>",
        ),
        *(
            "<meta http-equiv=refresh content='0;url=javascript:{}'>",
            "<button formaction='javascript:{}'>a",
            "<a name=x onclick={}>x</a>",
            "--><script>{}</script>",
        ),
        *("]]><script>{}</script>", "<noscript><p title='</noscript><script>{}</script>'>", "<audio src=x onerror={}>", "\u2028<script>{}</script>"),
    )
]


LIT = "box => [...document.querySelectorAll(box + ' .word')].filter(word => !/, 0\\)$|\\/ 0\\)$/.test(getComputedStyle(word).backgroundColor)).length"
"""How many words of a box have a colour behind them that can be seen."""


class Drawn(NamedTuple):
    """A drawing of one cell."""

    text: str

    def as_json(self) -> dict[str, Any]:
        """As `View` gives it."""
        lists = {name: [self.text] for name in ("source_pieces", "pieces", "rows", "columns", "warnings")}
        return {"kind": self.text, "scale": self.text, "text": self.text, "source": self.text, "values": [[1.0]], "scores": [0.0], **lists}


class Echo(Served):
    """A model that gives back what it gets, and is called what one pleases."""

    def __init__(self, name: str, target: str) -> None:
        self.name, self.source, self.target = name, "de", target

    def translation(self, sentence: str, alternatives: int, details: bool) -> Work:
        """The sentence itself, everywhere."""
        return Work(self._echo, sentence, 1)

    def look(self, sentence: str, kind: str | None) -> Work:
        """A drawing whose every label is the sentence."""
        return Work(lambda texts: [Drawn(text) for text in texts], sentence, 1)

    def _echo(self, texts: Sequence[str]) -> list[Translation]:
        pieces = [["▁" + word for word in text.split()] for text in texts]
        return [
            Translation(text, text, 0.0, each, each, alternatives=[(text + " ", 0.0)], warnings=[text])
            for text, each in zip(texts, pieces, strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        """With a title that is an attack too."""
        return {"name": self.name, "source": self.source, "target": self.target, "title": ATTACKS[0], "kinds": ["attention"], "notes": []}


class Watched:
    """A tab in which everything that must not happen is noted."""

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
        """Whether a script that came in as text has run."""
        return bool(self.tab.evaluate("window.harmed === 1 || document.title === 'harmed'"))


def attacked(browser: Any, address: str, attacks: Sequence[str]) -> Findings:
    """Types attacks, which come back as translations, alternatives, warnings and names."""
    watched = Watched(browser, address)
    tab, harmed, unseen = watched.tab, [], []
    for attack in attacks:
        tab.fill("#source", attack + " a")
        tab.keyboard.press("Control+Enter")
        try:
            tab.wait_for_function(
                "text => document.querySelector('#results .words')?.textContent.trim() === text.trim()", arg=attack + " a", timeout=10_000
            )
        except Exception:
            unseen.append(attack)
        if watched.harmed:
            harmed.append(attack)
    violations = [fault for fault in watched.faults if "status of 400" not in fault]
    return {
        "attacks that ran": (f"{len(harmed)} of {len(attacks)} {harmed[:3]}", not harmed),
        "attacks shown as they were typed": (f"{len(attacks) - len(unseen)} of {len(attacks)} {unseen[:2]}", not unseen),
        "requests outside (attacked)": (watched.outside[:3], not watched.outside),
        "errors and violations (attacked)": (violations[:3], not violations),
    }


def used(browser: Any, address: str, pictures: Path | None, several: bool) -> Findings:
    """What a reader does, from typing to a telephone."""
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
        tab.wait_for_timeout(300)  # colours come gently
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
        both = until(tab, "document.querySelectorAll('#results .card').length === 2 && document.querySelectorAll('#views table').length === 2")
        found["two models stand side by side"] = (both, both)
        tab.click("#examples button:nth-of-type(3)")
        fresh = "document.getElementById('read').textContent.includes(document.getElementById('source').value.slice(0, 20))"
        until(tab, f"{fresh} && document.querySelectorAll('#views table').length === 2")
    tab.focus("#results .word >> nth=-2")
    tab.wait_for_timeout(300)
    _picture(tab, pictures, "light")
    dark = []
    for _ in range(3):
        tab.click("#theme")
        dark.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        if "dark" in tab.inner_text("#theme"):
            _picture(tab, pictures, "dark")
    found["themes"] = (dark, len(set(dark)) == 2)
    held = tab.evaluate("new URLSearchParams(location.hash.slice(1)).get('q') === document.getElementById('source').value && location.search === ''")
    found["the link holds the text in its fragment alone"] = (held, bool(held))
    again = Watched(browser, tab.url.replace("?", ""))
    again.tab.wait_for_selector("#results .words .word")
    found["a link brings the text back"] = (same := again.tab.input_value("#source") == tab.input_value("#source"), same)
    again.tab.close()
    tab.set_viewport_size({"width": 375, "height": 812})
    wide = tab.evaluate("document.documentElement.scrollWidth")
    found["a telephone need not scroll sideways"] = (f"{wide} of 375 pixels", wide <= 375)
    _picture(tab, pictures, "phone")
    unnamed = tab.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea')].filter(each => !each.labels?.length && !each.textContent.trim() &&"
        " !each.getAttribute('aria-label') && !each.getAttribute('aria-labelledby')).length"
    )
    found["controls without a name"] = (unnamed, unnamed == 0)
    found["requests outside"] = (watched.outside[:3], not watched.outside)
    found["errors and violations"] = (watched.faults[:3], not watched.faults)
    return found


def until(tab: Any, condition: str, argument: Any = None, seconds: float = 60) -> bool:
    """Whether a condition comes true; Playwright's own way of waiting for one needs eval, which the page forbids."""
    end = time.monotonic() + seconds
    while not (holds := bool(tab.evaluate(condition, argument))) and time.monotonic() < end:
        tab.wait_for_timeout(50)
    return holds


def _picture(tab: Any, folder: Path | None, name: str) -> None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=folder / f"{name}.png", full_page=True)


def main(
    runs: Annotated[list[Path], typer.Argument(help="One run, or several for one language pair, to be compared.")],
    attacks: Annotated[int, typer.Option(help="How many texts that would be scripts.")] = len(ATTACKS),
    screenshots: Annotated[Path | None, typer.Option(help="A folder for pictures.")] = None,
) -> None:
    """Uses the page, and attacks it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not find_spec("playwright") or not chromium:
        print("left out: needs Playwright (pip install playwright) and Chromium (apt-get install chromium)")
        return
    from playwright.sync_api import sync_playwright

    served = [Served(Run(run), run.name, Limits().output) for run in runs]
    languages.detection = lambda: False  # what is typed is German for the check, whatever it looks like
    echo = [Echo(f"<img src=x onerror=window.harmed=1>{number}", target) for number, target in enumerate(("en", "<script>window.harmed=1</script>"))]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with listening(Service(Models(served), Limits(), None)) as address:
            found = used(browser, f"{address.url}/", screenshots, len(served) > 1)
        with listening(Service(Models(echo), Limits(), None)) as address:
            found |= attacked(browser, f"{address.url}/", ATTACKS[:attacks])
        browser.close()
    raise typer.Exit(verdict(found))


if __name__ == "__main__":
    typer.run(main)
