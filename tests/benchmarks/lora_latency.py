"""Does a merged model answer as fast as its base? The two in turn, many times, on the same tokens.

    XDG_CACHE_HOME=… python tests/benchmarks/lora_latency.py [--rounds 15]

Processor seconds of one forward pass over 4 rows of 32 tokens, one thread; the ratio's interval is over the rounds
(percentile bootstrap of the median of paired ratios). The base beside itself shows how much of it is noise.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def ratios(rounds: int) -> dict[str, tuple[float, float, float]]:
    """For the base itself, the merged model and the model with its adapters apart: median ratio, low, high."""
    import copy

    from trainers.lora import machine

    machine.prepare()
    import numpy as np
    import torch

    torch.set_num_threads(1)
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import folder_of
    from trainers.lora.base import load_model
    from trainers.lora.recipe import Recipe
    from trainers.lora.session import adapted_model

    base = load_model(folder_of(SMOLLM2), dtype="float32", attention="sdpa")
    apart = adapted_model(copy.deepcopy(base), Recipe())
    merged = adapted_model(copy.deepcopy(base), Recipe()).merge_and_unload()
    models = {"the base again": base, "merged": merged, "adapters apart": apart}
    ids = torch.arange(4 * 32).reshape(4, 32) + 100

    @torch.no_grad()
    def seconds(model: Any) -> float:
        start = time.process_time()
        model(input_ids=ids, logits_to_keep=1)
        return time.process_time() - start

    for model in models.values():
        seconds(model)
    found: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        one = seconds(base)
        for name, model in models.items():
            found[name].append(seconds(model) / one)
    generator = np.random.default_rng(0)
    told = {}
    for name, values in found.items():
        draws = np.median(generator.choice(values, (2000, rounds)), axis=1)
        told[name] = (float(np.median(values)), *(float(edge) for edge in np.percentile(draws, (2.5, 97.5))))
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    print("| model | time against the base | 95 % interval |\n|---|---|---|")
    for name, (middle, low, high) in ratios(parser.parse_args().rounds).items():
        print(f"| {name} | {middle:.3f} | {low:.3f} to {high:.3f} |")
