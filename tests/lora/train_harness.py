"""Runs small trainings, each in a process of its own that can be killed: MODEL, then WORK:HOW for each.

HOW is `whole`, `save:N` (SIGKILL itself after the Nth checkpoint) or `random:SEED` (SIGKILLed by its parent at random
moments until it has been killed 20 times). Libraries load once, in the parent; every training is a fork of it.
Prints one line for each: `killed N` or `done`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from trainers.lora import machine

machine.prepare()

from safetensors.torch import save_file  # noqa: E402

from tests.lora.conftest import Quiet, ticket_rows  # noqa: E402
from trainers.lora.base import load_tokenizer  # noqa: E402
from trainers.lora.examples import read_example  # noqa: E402
from trainers.lora.loop import train  # noqa: E402
from trainers.lora.machine import Arithmetic, find_device  # noqa: E402
from trainers.lora.recipe import Recipe  # noqa: E402
from trainers.lora.session import open_session  # noqa: E402


def training(model: Path, work: Path, kill_at: int, slow: float) -> None:
    recipe = Recipe(
        r=4,
        alpha=8,
        batch=8,
        epochs=3,
        evaluations=6,
        patience=6,
        threads=1,
        save_seconds=0.0,
        dropout=0.1,
        micro_tokens=128,
    )
    arithmetic = Arithmetic("float32", "highest", "")
    session = open_session(recipe, model, load_tokenizer(model), find_device(), arithmetic, 100, 5)
    examples = [read_example(row, n, "columns", target="answer") for n, row in enumerate(ticket_rows(60), 1)]
    rows = [session.encoder.encode(example) for example in examples]
    saves = 0

    def saved(step: int) -> None:
        nonlocal saves
        saves += 1
        time.sleep(slow)
        if saves == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    done = train(
        session.loss,
        session.trainable(),
        rows[:48],
        rows[48:],
        session.recipe,
        prefix=0,
        seed=5,
        budget_seconds=1e9,
        work=work,
        progress=Quiet(),
        saved=saved,
    )
    (work / "curve.json").write_text(json.dumps(done.course.curve))
    (work / "best.json").write_text(json.dumps(done.course.best_step))
    save_file(done.weights, work / "final.safetensors")


def forked(model: Path, work: Path, kill_at: int = 0, slow: float = 0.0) -> int:
    child = os.fork()
    if child == 0:
        try:
            training(model, work, kill_at, slow)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def killed_at_random(model: Path, work: Path, seed: int) -> None:
    chance, kills = random.Random(seed), 0
    while kills < 20:
        child = forked(model, work, slow=0.1)
        time.sleep(chance.uniform(0.05, 0.6))
        ended, _ = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
    print(f"killed {kills}", flush=True)


if __name__ == "__main__":
    for job in sys.argv[2:]:
        folder, how, *number = job.split(":")
        if how == "random":
            killed_at_random(Path(sys.argv[1]), Path(folder), int(number[0]))
            continue
        _, status = os.waitpid(forked(Path(sys.argv[1]), Path(folder), int(number[0]) if number else 0), 0)
        print("done" if status == 0 else f"killed {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "failed")
