"""A real browser opens the pages: nothing is asked for, said or popped up; nothing scrolls sideways; all can be read.

The screenshots are kept in TRAIN_OR_NOT_ARTEFACTS, or in pytest's own temporary folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, Browser
from hostile import STRINGS, hostile, hostile_and_open, page_of
from report_examples import EXAMPLES
from screens import LIMIT, LINE, compare, difference, small

from advisor.report.page import to_html
from advisor.report.story import tell

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH; the pages were not opened in a browser")

# Every visible text with its colour and the colour behind it, as the browser has worked them out.
LOOK = """
(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const linear = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const luminance = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const weak = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, owner = node.parentElement;
    const box = owner.getBoundingClientRect();
    if (!node.textContent.trim() || box.width < 2 || box.height < 2) continue;
    const drawn = owner instanceof SVGElement;
    const ink = parse(getComputedStyle(owner)[drawn ? 'fill' : 'color']);
    let behind = owner, ground = null;
    while (behind && !ground) {
      const colour = parse(getComputedStyle(behind).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) ground = colour;
      behind = behind.parentElement;
    }
    const pair = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
    const ratio = (pair[1] + 0.05) / (pair[0] + 0.05);
    seen += 1;
    if (ratio < 4.5) weak.push([node.textContent.trim().slice(0, 40), Math.round(ratio * 100) / 100]);
  }
  return { seen, weak };
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("TRAIN_OR_NOT_ARTEFACTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def quiet(browser: Browser, page: Path) -> None:
    assert browser.dialogs == []
    assert browser.requests == [page.as_uri()]
    assert browser.messages == []


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_a_page_is_quiet_fits_and_can_be_read(
    name: str, width: int, dark: bool, browser: Browser, artefacts: Path
) -> None:
    page = artefacts / f"{name}.html"
    page.write_text(to_html(tell(EXAMPLES[name]())), encoding="utf-8")
    browser.open(page, width=width, dark=dark)
    picture = artefacts / f"{name}-{width}-{'dark' if dark else 'light'}.png"
    browser.screenshot(picture)
    quiet(browser, page)
    assert compare(picture.stem, picture.read_bytes(), drawn_by(browser)) == ""
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    looked = browser.evaluate(LOOK)
    assert looked["seen"] > 100
    assert looked["weak"] == []


def drawn_by(browser: Browser) -> str:
    """The browser's version, and how wide and high it draws letters of each of the page's fonts."""
    measured = browser.evaluate(
        """(() => { const told = [];
        for (const name of ['--text', '--display', '--code']) {
          const line = document.createElement('span');
          line.style.cssText = `position:absolute;visibility:hidden;white-space:nowrap;font:100px var(${name})`;
          line.textContent = 'Should we train? 0123456789';
          document.body.append(line);
          told.push(Math.round(line.offsetWidth), Math.round(line.offsetHeight));
          line.remove();
        } return told.join(' '); })()"""
    )
    return f"{browser.do('Browser.getVersion')['product']} {measured}"


def test_a_page_that_looks_otherwise_is_noticed(browser: Browser, tmp_path: Path) -> None:
    page, picture = tmp_path / "page.html", tmp_path / "picture.png"
    shots = []
    for heading in ("", "h1{font-size:3rem}"):
        text = to_html(tell(EXAMPLES["rag"]())).replace("</style>", f"{heading}</style>")
        page.write_text(text, encoding="utf-8")
        browser.open(page)
        browser.screenshot(picture)
        shots.append(small(picture.read_bytes()))
    mean, line = difference(*shots)
    assert mean > LIMIT or line > LINE
    assert difference(shots[0], shots[0]) == (0.0, 0.0)


@pytest.mark.heavy
@pytest.mark.parametrize("number", range(len(STRINGS)))
def test_a_hostile_string_in_every_field_does_nothing(number: int, browser: Browser, tmp_path: Path) -> None:
    for made in (hostile, hostile_and_open):
        page = tmp_path / f"{made.__name__}.html"
        page.write_text(page_of(made, STRINGS[number]), encoding="utf-8")
        browser.open(page, width=1280)
        assert browser.evaluate("document.documentElement.scrollWidth") == 1280
        browser.resize(390)
        assert browser.evaluate("document.documentElement.scrollWidth") == 390
        quiet(browser, page)


def test_the_browser_would_have_noticed(browser: Browser, tmp_path: Path) -> None:
    """The stand-in for trust in this file: a page that does misbehave is caught."""
    page = tmp_path / "loud.html"
    page.write_text(
        "<body style='background:#fff'><script>alert(1); console.log('here')</script>"
        "<img src='http://127.0.0.1:9/x'><p style='width:3000px;color:#999'>wide</p>"
    )
    browser.open(page, width=390)
    assert browser.dialogs == ["1"]
    assert any("here" in message for message in browser.messages)
    assert len(browser.requests) > 1
    assert browser.evaluate("document.documentElement.scrollWidth") > 390
    assert browser.evaluate(LOOK)["weak"]
