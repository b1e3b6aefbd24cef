"""Foreign text in a terminal, a page, Markdown and a spreadsheet: shown as text, and nothing else."""

# ruff: noqa: E501  (a table of payloads reads better unwrapped)
from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest
from promises import Figure

from advisor.base.safetext import for_csv, plain
from tests.command import train_or_not

sys.path.append(str(Path(__file__).resolve().parents[1] / "report"))

from chromium import CHROMIUM, Browser
from hostile import STRINGS, hostile, hostile_and_open, page_of
from told import terminal_text

from advisor.report.markdown import to_markdown
from advisor.report.story import tell

HEADERS = (
    "[/red]", "[bold]x", "\x1b[2Ja", "\x1b]8;;http://evil.example\x07x", "\u202eevil", "ze\u200bro", "\x9b31m", "\u2066x",
    "a\u2028b", "\ufeffx", "\x7f", "<b>", "=1+1", "{0}", "%s", "\U000e0041tag", "\x1bP+q\x1b\\", "\x08\x08\x08",
)  # fmt: skip
FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '=HYPERLINK("http://x")',
    "-2+3+cmd",
)
NUMBERS = ("-1", "-1.5", "+3", "-1e-5", "0", "1e10", "-0.0", "123456789012")


def control(text: str) -> list[str]:
    """Characters that could steer a terminal."""
    return [letter for letter in text if letter != "\n" and (plain(letter, 1) != letter and not letter.isspace())]


def test_no_control_byte_reaches_the_terminal(tmp_path: Path, figure: Figure) -> None:
    shown = 0
    for text in STRINGS:
        for made in (hostile, hostile_and_open):
            assert not control(terminal_text(tell(made(text)), 100)), text
            shown += 1
    case = tmp_path / "my-case"
    case.mkdir()
    header = ",".join(f'"{name}"' for name in HEADERS)
    rows = "\n".join(",".join(f'"{name}{n % 3}"' for name in HEADERS) + f",{n % 2}" for n in range(80))
    (case / "data.csv").write_text(f"{header},label\n{rows}\n", encoding="utf-8")
    (case / "answers.yaml").write_text("schema: 1\ndata: data.csv\ntarget: label\nanswers:\n  task_type: classify\n")
    for words in (("look", "my-case"), ("decide", "my-case"), ("report", "my-case"), ("look", "my-case/data.csv"),
                  ("look", "my-case/data.csv", "--target", "\x1b[2Jnone")):  # fmt: skip
        said = train_or_not(*words, folder=tmp_path)
        assert not control(said.out + said.err), (words, control(said.out + said.err))
        shown += 1
    for words in (
        ("\x1b[2J",),
        ("report", "\x1b]0;owned\x07"),
        ("decide", "--set", "\x1b[31mx=\x1b[2J"),
        ("decide", "\u202e"),
    ):
        said = train_or_not(*words, folder=tmp_path)
        assert said.code == 2
        assert not control(said.out + said.err), words
        shown += 1
    figure(10, "control bytes and crashes", f"0 on {shown} screens")


def test_every_line_and_remark_of_a_command_is_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    """What a record from elsewhere says may stand in any of them."""
    from advisor.cli.output import Output

    for text in (*HEADERS, *STRINGS):
        Output().line(f"Run {text}:\n  naïve — 5 €")
        Output().note(f"Going on with {text}")
    said = capsys.readouterr()
    assert not control(said.out + said.err)
    assert "naïve — 5 €" in said.out


@pytest.mark.heavy
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH; no page was opened in a browser")
def test_no_page_asks_for_anything_or_says_anything(tmp_path: Path, figure: Figure) -> None:
    opened = 0
    with Browser() as browser:
        for text in STRINGS:
            for made in (hostile, hostile_and_open):
                page = tmp_path / "page.html"
                page.write_text(page_of(made, text), encoding="utf-8")
                browser.open(page)
                assert browser.dialogs == [] and browser.messages == []
                assert browser.requests == [page.as_uri()]
                opened += 1
    figure(11, "dialogs, requests, console messages", f"0 on {opened} pages with the string in every field")


def test_markdown_brings_no_markup_of_others(figure: Figure) -> None:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable("table")
    read = 0
    for text in STRINGS:
        for made in (hostile, hostile_and_open):
            tokens = reader.parse(to_markdown(tell(made(text))))
            inner = [child for token in tokens for child in token.children or []]
            assert not [one for one in (*tokens, *inner) if one.type in ("html_block", "html_inline", "image")], text
            links = [dict(one.attrs)["href"] for one in inner if one.type == "link_open"]
            assert not [link for link in links if "evil" in str(link) or "javascript" in str(link)], text
            read += 1
    figure(11, "HTML, images and foreign links in Markdown", f"0 in {read} reports")


def test_formulas_are_disarmed_and_numbers_stay_numbers(figure: Figure) -> None:
    for text in FORMULAS:
        stream = io.StringIO()
        csv.writer(stream).writerow([for_csv(text)])
        read = next(csv.reader(io.StringIO(stream.getvalue())))[0]
        assert read == f"'{text}"
    figure(12, "neutralised", f"{len(FORMULAS)} of {len(FORMULAS)}")


@pytest.mark.heavy
def test_predictions_disarm_text_and_keep_numbers(tmp_path: Path, figure: Figure) -> None:
    """Through the real verb: cells that are formulas get a quote, negative numbers are what they were."""
    from cases import light_plan, table_case

    folder = table_case(tmp_path / "work")
    data = folder / "my-case" / "data.csv"
    lines = data.read_text().splitlines()
    lines[0] += ",note,amount"
    lines[1:] = [f'{line},"{FORMULAS[n % 4]}",{NUMBERS[n % len(NUMBERS)]}' for n, line in enumerate(lines[1:])]
    data.write_text("\n".join(lines) + "\n")
    assert train_or_not("look", "my-case", folder=folder).code == 0
    assert train_or_not("plan", "my-case", "--approach", "classical", folder=folder).code == 0
    light_plan(folder)
    assert train_or_not("train", "my-case", folder=folder).code in (0, 4)
    said = train_or_not("predict", "my-case", "my-case/data.csv", folder=folder)
    assert said.code == 0, said.err
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == 240
    for n, row in enumerate(rows):
        assert row["note"] == f"'{FORMULAS[n % 4]}"
        assert float(row["amount"]) == float(NUMBERS[n % len(NUMBERS)])
        assert not row["prediction"].startswith(("=", "+", "@"))
    figure(12, "numbers changed", f"0 of {len(rows)}")
