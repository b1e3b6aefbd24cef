"""Does the memory estimate hold? Twelve settings, each run in a process of its own, foretold beside measured.

    XDG_CACHE_HOME=… python tests/benchmarks/lora_memory.py [fitted]

The constants of rules/presets.yaml were fitted to the settings that `fitted` runs; the twelve without it were not used.

Two steps and a checkpoint of the embedded model for each; the peak is the process's greatest resident memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# learning, dtype, checkpointing, rows in a micro-batch, tokens in a row
HELD_OUT = (
    ("lora", "float32", "off", 1, 256),
    ("lora", "float32", "off", 6, 96),
    ("lora", "float32", "off", 3, 320),
    ("lora", "float32", "off", 12, 80),
    ("lora", "float32", "on", 6, 192),
    ("lora", "bfloat16", "off", 6, 96),
    ("lora", "bfloat16", "off", 2, 256),
    ("lora", "bfloat16", "on", 4, 256),
    ("full", "float32", "off", 4, 96),
    ("full", "float32", "on", 4, 192),
    ("full", "bfloat16", "off", 4, 128),
    ("full", "bfloat16", "on", 8, 96),
)
FITTED = (
    ("lora", "float32", "off", 2, 128),
    ("lora", "float32", "off", 8, 64),
    ("lora", "float32", "off", 8, 128),
    ("lora", "float32", "off", 4, 384),
    ("lora", "float32", "on", 8, 128),
    ("lora", "float32", "on", 4, 384),
    ("lora", "bfloat16", "off", 4, 64),
    ("lora", "bfloat16", "off", 8, 128),
    ("lora", "bfloat16", "on", 8, 128),
    ("full", "float32", "off", 2, 64),
    ("full", "float32", "off", 8, 128),
    ("full", "float32", "on", 8, 128),
)


def one(setting: dict[str, Any]) -> None:
    """Run two steps and a checkpoint; print the peak in MiB."""
    from trainers.lora import machine

    machine.prepare()
    import torch

    torch.set_num_threads(1)
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import folder_of
    from trainers.lora.base import load_tokenizer
    from trainers.lora.bundle import Bundle, random_state, save_bundle
    from trainers.lora.forward import step_gradients
    from trainers.lora.machine import Arithmetic, find_device, peak_resident_mb
    from trainers.lora.optimiser import Optimiser, Schedule
    from trainers.lora.recipe import Recipe
    from trainers.lora.session import open_session
    from trainers.lora.tokens import Encoded

    recipe = Recipe(**setting["recipe"])
    where, length = folder_of(SMOLLM2), setting["length"]
    session = open_session(
        recipe, where, load_tokenizer(where), find_device(), Arithmetic(recipe.dtype, "highest", ""), length, 0
    )
    optimiser = Optimiser(session.trainable(), Schedule(1e-4, 1, 10), clip=1.0, weight_decay=0.0)
    learn = (False,) * (length * 2 // 3) + (True,) * (length - length * 2 // 3)
    for step in range(2):
        ids = tuple((step * 7 + at * 13) % 40_000 + 3 for at in range(length))
        step_gradients(session.loss, [[Encoded(1, ids, learn)] * setting["rows"]])
        optimiser.step(step)
    with tempfile.TemporaryDirectory() as scratch:
        save_bundle(Path(scratch), Bundle(optimiser.weights(), optimiser.moments(), random_state(), {"step": 2}))
    print(json.dumps(peak_resident_mb()))


def measure(settings: Sequence[tuple[str, str, str, int, int]]) -> list[dict[str, Any]]:
    """Foretold and measured peak of each setting."""
    from trainers.lora.base import EMBEDDED_SHAPE
    from trainers.lora.memory import need
    from trainers.lora.recipe import Recipe

    found = []
    for learning, dtype, checkpointing, rows, length in settings:
        recipe = replace(
            Recipe(),
            learning=learning,
            dtype=dtype,
            checkpointing=checkpointing,
            attention="sdpa",
            batch=rows,
            micro_tokens=rows * length,
        )
        job = json.dumps({"recipe": asdict(recipe), "rows": rows, "length": length})
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, job], capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        peak = float(done.stdout.strip().splitlines()[-1])
        said = need(EMBEDDED_SHAPE, recipe, dtype, length)
        found.append(
            {
                "setting": f"{learning}, {dtype}, checkpointing {checkpointing}, {rows} × {length} tokens",
                "foretold_mb": round(said.total),
                "measured_mb": round(peak),
                "error": round(said.total / peak - 1, 3),
                "parts": {key: round(value) for key, value in asdict(said).items()},
            }
        )
        print(
            f"| {found[-1]['setting']} | {found[-1]['foretold_mb']:,} | {found[-1]['measured_mb']:,} | "
            f"{found[-1]['error']:+.0%} |",
            flush=True,
        )
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] != "fitted":
        one(json.loads(sys.argv[1]))
    else:
        print("| setting | foretold, MB | measured, MB | error |\n|---|---|---|---|", flush=True)
        results = measure(FITTED if len(sys.argv) > 1 else HELD_OUT)
        worst = max(abs(one["error"]) for one in results)
        print(f"\nworst error {worst:.0%} over {len(results)} settings")
