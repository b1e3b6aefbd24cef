"""How long the examples are is counted and drawn before anything loads, with what would not fit."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

from advisor.base.machine import look_at_machine
from advisor.cli.plan_page import page
from advisor.report.run_charts import lengths as charts
from tests.lora.test_learning import examples
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.base import end_ids, load_tokenizer, tokenizer_file
from trainers.lora.corpus import read_corpus
from trainers.lora.counting import count_tokens, lengths_of
from trainers.lora.planning import estimate
from trainers.lora.recipe import Recipe
from trainers.lora.session import lengths
from trainers.lora.tokens import Encoder


def test_lengths_are_counted_as_the_run_counts_them(tiny_model: Path, tmp_path: Path) -> None:
    """To the few tokens that the chat template writes around each message."""
    case = make_case(tmp_path / "case", tiny_model)
    examples = read_corpus(case / "tickets.csv", target="answer").examples
    encoder = Encoder(load_tokenizer(tiny_model), end_ids(tiny_model, load_tokenizer(tiny_model)))
    counted = count_tokens(examples, tokenizer_file("model", case))
    assert counted.how == "by the base's own tokenizer"
    for one, size in zip(examples, counted.reach, strict=True):
        assert abs(len(encoder.encode(one).ids) - size) <= 8 * len(one.messages)
    guessed = count_tokens(examples, None)
    assert guessed.how == "by about 3.4 characters a token"


def test_every_example_stands_in_one_step_and_the_limit_is_one_of_them() -> None:
    found = lengths_of([3, 17, 24, 25, 60, 61, 900], limit=60, how="")
    assert sum(found.rows) == 7
    assert found.over == 2
    assert dict(zip(found.upto, found.rows, strict=True))[60] == 1
    assert sum(rows for upto, rows in zip(found.upto, found.rows, strict=True) if upto > 60) == found.over
    assert len(found.upto) <= 12
    assert lengths_of([5.0] * 4, limit=8192, how="").rows == (4,)


def test_a_plan_draws_the_lengths_and_the_line_beyond_which_rows_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case(tmp_path / "case", tiny_model)
    with (case / "tickets.csv").open("a") as stream:
        stream.write(f"{'my card is not right ' * 12},cards\n")
    plan = dataclasses.replace(plan_for(case, longest=100), target="answer")
    found = estimate(plan, case, Recipe(base="model", longest=100))
    assert found.lengths is not None
    assert (found.lengths.over, found.lengths.limit) == (1, 100)
    shown = list(page(dataclasses.replace(plan, estimate=found), "Fine-tune", look_at_machine(case), 80))
    bars = [line for line in shown if line.strip().startswith("up to") and "#" in line]
    assert sum(int(line.split()[-1]) for line in bars) == 81
    line = next(place for place, text in enumerate(shown) if text.endswith("-  longer than 100: 1"))
    assert shown[line - 1].split()[:3] == ["up", "to", "100"]
    assert any("1 is longer than the limit of 100 tokens" in text for text in shown)
    assert all(len(text) <= 80 for text in shown)


def test_counting_loads_no_model_library(tiny_model: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from trainers.lora.counting import count_tokens\n"
        "from trainers.lora.examples import Example, Message\n"
        "rows = [Example(1, (Message('user', 'card'), Message('assistant', 'cash')))]\n"
        "print(count_tokens(rows, Path(sys.argv[1])).how)\n"
        "print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    )
    file = str(tiny_model / "tokenizer.json")
    done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["by the base's own tokenizer", "[]"]


def test_the_report_draws_what_the_run_learned_from(tiny_model: Path) -> None:
    encoder = Encoder(load_tokenizer(tiny_model), [2])
    rows = [encoder.encode(example) for example in examples(20)]
    (chart,) = charts(lengths(rows, 512))
    assert sum(point.value for point in chart.points) == 20
    assert chart.says == f"None has more than {max(len(row.ids) for row in rows)} tokens; 512 fit, so none was cut."
    assert not list(charts({"longest": 9}))
