"""LoRA beside full fine-tuning of the embedded model: memory and quality, and what rate, batch and dropout do.

    XDG_CACHE_HOME=… python tests/benchmarks/lora_quality.py [--rows 96] [--seed 0] [--only "LoRA, rate 1e-3;…"]

Each way takes the same rows of the demonstration's tickets in the same order, one pass; then the loss and the
share of wholly right answers on 64 held-out rows (greedy decoding would write them), and the process's peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

WAYS: dict[str, dict[str, Any]] = {
    "LoRA, rate 1e-3": {"learning_rate": 1e-3, "batch": 8},
    "LoRA, rate 1e-3, batch 16": {"learning_rate": 1e-3, "batch": 16},
    "LoRA, rate 2e-4": {"learning_rate": 2e-4, "batch": 8},
    "LoRA, rate 1e-3, dropout 0.05": {"learning_rate": 1e-3, "batch": 8, "dropout": 0.05},
    "full, rate 1e-4": {"learning": "full", "learning_rate": 1e-4, "batch": 8},
    "full, rate 2e-5": {"learning": "full", "learning_rate": 2e-5, "batch": 8},
}


def one(way: str, count: int, seed: int) -> None:
    """Train one way and print its figures."""
    from trainers.lora import machine

    machine.prepare()
    import torch

    torch.set_num_threads(1)
    from tests.benchmarks.make_tickets import TARGET
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import folder_of
    from trainers.lora.base import load_tokenizer
    from trainers.lora.batches import all_batches, pieces, shared_prefix
    from trainers.lora.corpus import read_corpus
    from trainers.lora.forward import step_gradients
    from trainers.lora.loop import tally
    from trainers.lora.optimiser import Optimiser, Schedule
    from trainers.lora.recipe import Recipe
    from trainers.lora.session import open_session

    recipe = Recipe(**WAYS[way])
    device, where = machine.find_device(), folder_of(SMOLLM2)
    arithmetic = machine.Arithmetic("float32", "highest", "")
    session = open_session(recipe, where, load_tokenizer(where), device, arithmetic, 200, seed)
    instruction = TARGET.with_name("instruction.txt").read_text().strip()
    corpus = read_corpus(TARGET, target="answer", instruction=instruction)
    rows = [session.encoder.encode(example) for example in corpus.examples[: count + 64]]
    rows, held = rows[:count], rows[count:]
    prefix, steps = shared_prefix(rows), count // recipe.batch
    schedule = Schedule(recipe.learning_rate, 1, steps)
    optimiser = Optimiser(session.trainable(), schedule, clip=1.0, weight_decay=0.0)
    start = time.process_time()
    for step, batch in enumerate(all_batches(rows, recipe.batch, seed, steps)):
        groups = [[rows[index] for index in part] for part in pieces(rows, batch, 512, prefix)]
        step_gradients(session.loss, groups, rows[0].ids[:prefix])
        optimiser.step(step)
    seconds, peak = time.process_time() - start, machine.peak_resident_mb()
    session.adapted.eval()
    found = tally(session.loss, held, prefix, 512)
    trained = sum(weight.numel() for _, weight in session.trainable())
    figures = [f"{trained:,}", round(seconds), round(peak), round(found.loss / found.tokens, 4), f"{found.exact}/64"]
    print(json.dumps(figures))


def main() -> None:
    """Parse, run each way in a process of its own, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", default="")
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if arguments.way:
        one(arguments.way, arguments.rows, arguments.seed)
        return
    print("| way | trained weights | processor s | peak MB | held-out loss | wholly right |\n|---|---|---|---|---|---|")
    for way in arguments.only.split(";") if arguments.only else WAYS:
        command = [sys.executable, "-W", "ignore", __file__, "--way", way, "--rows", str(arguments.rows)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        done = subprocess.run(
            [*command, "--seed", str(arguments.seed)], capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        print(f"| {way} | {' | '.join(map(str, json.loads(done.stdout.strip().splitlines()[-1])))} |", flush=True)


if __name__ == "__main__":
    main()
