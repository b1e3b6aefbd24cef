"""Each promise has its test, each test its figure, and what people read is made from those figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from promises import HERE, PROMISES, load, record, table
from write_table import BEGIN, END, between_marks

ROOT = HERE.parents[1]
SECURITY = ROOT / ".github" / "SECURITY.md"


@pytest.mark.parametrize("promise", PROMISES, ids=lambda one: f"{one.number}")
def test_every_promise_has_a_test_that_records_its_figure(promise) -> None:
    source = (HERE / promise.test).read_text(encoding="utf-8")
    assert re.search(rf"figure\(\s*{promise.number},\s", source), f"{promise.test} records nothing for {promise.number}"


def test_no_test_records_a_figure_that_nobody_promised() -> None:
    known = {one.number: one.test for one in PROMISES}
    for file in HERE.glob("test_*.py"):
        for number in re.findall(r"figure\(\s*(\d+),\s", file.read_text(encoding="utf-8")):
            assert known.get(int(number)) == file.name


def test_security_md_states_every_promise_in_the_same_words() -> None:
    told = " ".join(SECURITY.read_text(encoding="utf-8").split())
    missing = [one.promise for one in PROMISES if f"{one.number}. {one.promise}." not in told]
    assert not missing


def test_every_promise_was_measured() -> None:
    figures = load()
    assert [one.number for one in PROMISES if not figures.get(str(one.number))] == []


def test_the_readme_shows_the_table_as_it_was_measured(request: pytest.FixtureRequest) -> None:
    if "safety" in str(request.config.option.markexpr):
        pytest.skip("this run measures anew; afterwards: python tests/safety/write_table.py README.md")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert BEGIN in readme
    assert readme == between_marks(readme, table(load()))


def test_a_figure_is_kept_with_its_promise_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    record(15, "torn files", "0 of 99", file)
    record(1, "executions", "1 of 40", file)
    record(1, "executions", "0 of 57", file)
    assert load(file) == {"1": {"executions": "0 of 57"}, "15": {"torn files": "0 of 99"}}
    made = table(load(file))
    assert "executions: 0 of 57 |" in made and "not measured yet" in made
    assert between_marks(f"a\n{BEGIN}\nold\n{END}\nb", made) == f"a\n{BEGIN}\n{made}{END}\nb"
    with pytest.raises(ValueError, match="one pair"):
        between_marks("no marks", made)
