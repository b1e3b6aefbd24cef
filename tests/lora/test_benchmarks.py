"""The acceptance measurements, on the embedded model: minutes long, and only where that model was fetched before.

TRAIN_OR_NOT_CACHE=~/.cache python -m pytest tests/lora/test_benchmarks.py -m heavy -n0
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.heavy


@pytest.fixture
def real_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own cache, which tests otherwise never see."""
    cache = os.environ.get("TRAIN_OR_NOT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import is_present

    if not cache or not is_present(SMOLLM2):
        pytest.skip("set TRAIN_OR_NOT_CACHE to the cache that holds the embedded model")


def table(script: str, *words: str) -> list[list[str]]:
    """The rows of the table that a benchmark prints, without its head."""
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / script), *words]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


def test_foretold_memory_is_within_a_fifth_of_the_measured(real_cache: None) -> None:
    errors = {row[0]: float(row[3].rstrip("%")) / 100 for row in table("lora_memory.py")}
    assert len(errors) == 12
    assert {setting: error for setting, error in errors.items() if abs(error) > 0.2} == {}


def test_a_step_is_leaner_and_no_slower_than_trls_with_the_same_loss(real_cache: None) -> None:
    """On a processor without bfloat16; where it is there, much faster: see the figures in the report of the project."""
    if importlib.util.find_spec("trl") is None:
        pytest.skip("trl is not installed")
    rows = {row[0]: row for row in table("lora_speed.py", "--rows", "24", "--only", "ours;trl best")}
    ours, theirs = rows["ours"], rows["trl best"]
    assert float(ours[3]) > 1.1 * float(theirs[3])
    assert float(ours[4]) < 0.8 * float(theirs[4])
    assert float(ours[5]) == pytest.approx(float(theirs[5]), rel=0.03)


def test_the_demo_of_the_readme_shows_a_gain_that_passes_the_gate(real_cache: None, tmp_path: Path) -> None:
    assert "$ train-or-not demo --with fine_tune" in (ROOT / "README.md").read_text(encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "advisor",
        "demo",
        "--with",
        "fine_tune",
        "--folder",
        str(tmp_path / "demo"),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    case = json.loads(done.stdout)["cases"][0]
    assert case["gate"] == "earned"
    record = json.loads(next((tmp_path / "demo" / "tickets" / "runs").glob("*/run.json")).read_text())
    assert record["sealed"]["value"] > 0.25
    assert record["diagnostics"]["actual"]["seconds"] < 1.5 * record["plan"]["budget_seconds"]


def test_a_merged_model_answers_as_fast_as_its_base(real_cache: None) -> None:
    """The interval of the merged model's ratio overlaps that of the base timed against itself."""
    rows = {row[0]: [float(row[1]), *map(float, row[2].split(" to "))] for row in table("lora_latency.py")}
    again, merged, apart = rows["the base again"], rows["merged"], rows["adapters apart"]
    assert merged[1] <= again[2]
    assert again[1] <= merged[2]
    assert apart[1] > merged[0]


def test_a_long_shared_instruction_is_paid_for_once(real_cache: None) -> None:
    rows = table("lora_speed.py", "--rows", "24", "--only", "ours", "--long")
    shared, each = rows
    assert float(shared[3]) > 1.8 * float(each[3])
    assert float(shared[5]) == pytest.approx(float(each[5]), rel=0.005)
