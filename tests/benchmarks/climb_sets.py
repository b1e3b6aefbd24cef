"""Climb three sets offline with the embedded model: what each recommends, how sure it is, and how long it took.

    TRAIN_OR_NOT_SHARED=… python tests/benchmarks/climb_sets.py [--served] [--examples N] [--max-minutes N] [--only SET]

A text classification (sms_spam), a table (telco_churn) and questions over documents (xquad_en), each through the real
command in a case of its own. `--served` asks the same embedded model through `transformers serve` on loopback instead.
CPU seconds are those of the command with its children, so that a busy machine does not blur them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.climb.served import served

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"
SETS = {
    "sms_spam": ("--data", "sms_spam/data.csv", "--target", "label"),
    "telco_churn": ("--data", "telco_churn/data.csv", "--target", "Churn"),
    "xquad_en": (),
}


def run(folder: Path, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "advisor", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if done.returncode not in (0, 6):
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout) if "--json" in words else None


def climbed(folder: Path, name: str, model: list[str], examples: str, minutes: str) -> tuple[Any, float, float]:
    """The record of one climb, its wall seconds and its CPU seconds."""
    run(folder, "new", name)
    words = ["climb", name, *model, *(["--examples", examples] if examples else []), "--json"]
    words += ["--max-minutes", minutes] if minutes else []
    if look := SETS[name]:
        run(folder, "look", name, look[0], str(SHARED / look[1]), *look[2:], "--quiet")
    else:
        questions = SHARED / name
        words += ["--questions", str(questions / "questions.jsonl"), "--documents", str(questions / "documents")]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    record = run(folder, *words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return record, time.monotonic() - started, cpu


def told(name: str, record: Any, wall: float, cpu: float) -> None:
    print(f"\n{name}: {wall:,.0f} s, {cpu:,.0f} CPU seconds, {record['calls']:,} calls, {record['usd']:.4f} USD")
    for rung in record["rungs"]:
        score = rung["score"]
        shown = f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})" if score else rung["text"][:60]
        print(f"  {rung['name']:28} {rung['status']:15} {shown:26} {rung['latency_p50']:7.3f} s  {rung['items']:5}")
    chosen = next((rung for rung in record["rungs"] if rung["name"] == record["recommended"]), None)
    if chosen is None:
        print(f"  recommended: none. {record['text']}")
        return
    sealed = record["sealed"]
    print(
        f"  recommended: {chosen['name']}, {record['metric']} {sealed['value']:.3f} "
        f"({sealed['low']:.3f} to {sealed['high']:.3f}) on {sealed['rows']} sealed; "
        f"{chosen['usd_per_thousand']:.4f} USD a thousand, {chosen['latency_p50']:.3f} s each"
    )


@contextlib.contextmanager
def embedded_served(folder: Path) -> Iterator[list[str]]:
    """The embedded model behind `transformers serve`; gives the options of a climb that asks it."""
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import folder_of

    model = folder_of(SMOLLM2)
    with served(model, folder) as url:
        yield ["--endpoint", url, "--model", str(model), "--price", "0,0", "--max-tokens", "9000000", "--workers", "1"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--served", action="store_true")
    options.add_argument("--examples", default="")
    options.add_argument("--max-minutes", default="")
    options.add_argument("--only", choices=list(SETS))
    asked = options.parse_args()
    wall = cpu = 0.0
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        model = stack.enter_context(embedded_served(folder)) if asked.served else ["--endpoint", "local"]
        for name in [asked.only] if asked.only else list(SETS):
            record, seconds, used = climbed(folder, name, model, asked.examples, asked.max_minutes)
            told(name, record, seconds, used)
            wall, cpu = wall + seconds, cpu + used
    print(f"\nin all {wall / 60:.1f} minutes, {cpu / 60:.1f} CPU minutes, on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
