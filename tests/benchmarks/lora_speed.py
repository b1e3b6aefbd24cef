"""How fast and how lean is a fine-tuning step beside TRL and plain Trainer: same model, rows, order, seeds and steps.

    XDG_CACHE_HOME=… python tests/benchmarks/lora_speed.py [--rows 24] [--threads 1] [--seeds 1] [--only ours,trl]

Each engine runs in a process of its own, one after the other, from the same initial adapters. Reported: processor
seconds of the training loop (user + system; wall time misleads on a shared machine), tokens a processor second, peak
resident memory of the process, and the loss on held-out rows under one and the same measure. Needs `trl` and `datasets`
beside the extra `lora`. LoRA r=16 on every linear layer, batch 8, AdamW at a constant 5e-4, loss on answers only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
ROOT = Path(__file__).resolve().parents[2]
BATCH, RATE = 8, 5e-4

SHOWN = ("processor_seconds", "tokens_per_second", "peak_mb", "held_out_loss", "wall_seconds")

ENGINES = {
    "ours": "the trainer as it is",
    "ours, no buckets": "rows in random order",
    "ours, no micro-batches": "a batch in one piece",
    "ours, bfloat16": "weights in bfloat16, whether or not that is fast on this processor",
    "ours, all logits": "the model's own loss: every position, all logits kept",
    "plain": "transformers Trainer + peft, its defaults (float32)",
    "trl default": "TRL SFTTrainer, its defaults (checkpointing on, bfloat16 autocast)",
    "trl best": "TRL SFTTrainer, its best setting on this processor (checkpointing off, rows grouped by length)",
}


def tickets(rows: int, instruction: str) -> list[Any]:
    """The demonstration's tickets, with a short or a long instruction."""
    from tests.benchmarks.make_tickets import TARGET
    from trainers.lora.corpus import read_corpus

    corpus = read_corpus(TARGET, target="answer", instruction=instruction)
    return list(corpus.examples[:rows])


def prepared(arguments: argparse.Namespace) -> tuple[Any, list[Any], list[Any], list[Any]]:
    """The session with its seeded adapters, and the encoded training and held-out rows."""
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import folder_of
    from trainers.lora.base import load_tokenizer
    from trainers.lora.machine import choose_arithmetic, find_device
    from trainers.lora.recipe import Recipe
    from trainers.lora.session import open_session

    device = find_device()
    where = folder_of(SMOLLM2)
    ours = arguments.engine.startswith("ours")
    from trainers.lora.machine import Arithmetic

    arithmetic = choose_arithmetic(device) if ours else Arithmetic("float32", "highest", "")
    if "bfloat16" in arguments.engine:
        arithmetic = Arithmetic("bfloat16", "highest", "")
    recipe = Recipe(micro_tokens=512)
    session = open_session(recipe, where, load_tokenizer(where), device, arithmetic, 200, arguments.seed)
    instruction = (ROOT / "advisor/demo/tickets/instruction.txt").read_text().strip()
    instruction = " ".join([instruction] * 2) if arguments.long else "Answer with one line of JSON about the ticket."
    examples: list[Any] = tickets(arguments.rows + 32, instruction)
    rows = [session.encoder.encode(example) for example in examples]
    return session, examples, rows[: arguments.rows], rows[arguments.rows :]


def order_of(rows: list[Any], seed: int, *, buckets: bool) -> list[list[int]]:
    from trainers.lora.batches import epoch_of_batches

    if buckets:
        return epoch_of_batches(rows, BATCH, seed, 0)
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    return [order[at : at + BATCH] for at in range(0, len(order), BATCH)]


def run_ours(arguments: argparse.Namespace, session: Any, rows: list[Any]) -> float:
    from trainers.lora.batches import pieces, shared_prefix
    from trainers.lora.forward import step_gradients
    from trainers.lora.optimiser import Optimiser, Schedule

    optimiser = Optimiser(session.trainable(), Schedule(RATE, 1, 10**9), clip=1.0, weight_decay=0.0)
    prefix = shared_prefix(rows) if arguments.prefix else 0
    budget = 10**9 if "no micro" in arguments.engine or "all logits" in arguments.engine else 512
    start = time.process_time()
    for step, batch in enumerate(order_of(rows, arguments.seed, buckets="no buckets" not in arguments.engine)):
        groups = [[rows[index] for index in part] for part in pieces(rows, batch, budget, prefix)]
        if "all logits" in arguments.engine:
            total = session.loss.plain_loss(groups[0]) / sum(row.learned for row in groups[0])
            total.backward()
        else:
            step_gradients(session.loss, groups, rows[0].ids[:prefix])
        optimiser.step(step)
    return time.process_time() - start


def run_theirs(arguments: argparse.Namespace, session: Any, examples: list[Any], rows: list[Any]) -> float:
    """TRL or plain Trainer on the very same adapters, rows and order (its sampler set to take rows as they come)."""
    from datasets import Dataset
    from transformers import Trainer, TrainingArguments

    # One and the same order for all engines: the rows are handed over in ours, and taken one after the other.
    chosen = [index for batch in order_of(rows, arguments.seed, buckets="best" in arguments.engine) for index in batch]
    common: dict[str, Any] = {
        "output_dir": tempfile.mkdtemp(),
        "per_device_train_batch_size": BATCH,
        "learning_rate": RATE,
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "num_train_epochs": 1,
        "train_sampling_strategy": "sequential",
        "report_to": [],
        "save_strategy": "no",
        "logging_steps": 1000,
        "disable_tqdm": True,
        "use_cpu": True,
        "seed": arguments.seed,
    }
    model = session.adapted
    tokenizer = session.encoder.tokenizer
    if arguments.engine == "plain":
        session.adapted.enable_input_require_grads()

        def collate(batch: list[dict[str, Any]]) -> dict[str, Any]:
            import torch

            width = max(len(row["input_ids"]) for row in batch)
            ids = torch.zeros((len(batch), width), dtype=torch.long)
            mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
            for place, row in enumerate(batch):
                size = len(row["input_ids"])
                ids[place, :size] = torch.tensor(row["input_ids"])
                labels[place, :size] = torch.tensor(row["labels"])
                mask[place, :size] = 1
            return {"input_ids": ids, "attention_mask": mask, "labels": labels}

        data = Dataset.from_list(
            [
                {
                    "input_ids": list(rows[i].ids),
                    "labels": [t if keep else -100 for t, keep in zip(rows[i].ids, rows[i].learn, strict=True)],
                }
                for i in chosen
            ]
        )
        settings = TrainingArguments(**common, remove_unused_columns=False)
        trainer: Any = Trainer(model, settings, train_dataset=data, data_collator=collate)
    else:
        from trl import SFTConfig, SFTTrainer

        from trainers.lora.machine import choose_arithmetic, find_device

        def turns(messages: Any) -> list[Any]:
            return [{"role": m.role, "content": m.content} for m in messages]

        data = Dataset.from_list(
            [{"prompt": turns(examples[i].question), "completion": turns(examples[i].messages[-1:])} for i in chosen]
        )
        more: dict[str, Any] = {}
        if "best" in arguments.engine:
            fast = choose_arithmetic(find_device()).dtype == "bfloat16"
            more = {"bf16": fast, "gradient_checkpointing": False}
        trainer = SFTTrainer(model, args=SFTConfig(**common, **more), train_dataset=data, processing_class=tokenizer)
    start = time.process_time()
    trainer.train()
    return time.process_time() - start


def one(arguments: argparse.Namespace) -> None:
    """Run one engine and print its figures."""
    from trainers.lora import machine

    machine.prepare()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(arguments.threads)
    arguments.prefix = arguments.long and arguments.engine == "ours" and not arguments.no_prefix
    session, examples, rows, held = prepared(arguments)
    wall = time.monotonic()
    if arguments.engine.startswith("ours"):
        seconds = run_ours(arguments, session, rows)
    else:
        seconds = run_theirs(arguments, session, examples, rows)
    wall = time.monotonic() - wall
    peak = machine.peak_resident_mb()
    from trainers.lora.loop import tally

    session.adapted.eval()
    found = tally(session.loss, held, 0, 512)
    tokens = sum(len(row.ids) for row in rows)
    print(
        json.dumps(
            {
                "engine": arguments.engine,
                "seed": arguments.seed,
                "threads": arguments.threads,
                "dtype": session.arithmetic.dtype,
                "tokens": tokens,
                "processor_seconds": round(seconds, 2),
                "wall_seconds": round(wall, 2),
                "tokens_per_second": round(tokens / seconds, 1),
                "peak_mb": round(peak),
                "held_out_loss": round(found.loss / found.tokens, 4),
            }
        ),
        flush=True,
    )


def spawn(engine: str, arguments: argparse.Namespace, seed: int, *more: str) -> dict[str, Any]:
    """One engine's figures, from a process of its own."""
    command = [sys.executable, __file__, "--engine", engine, "--rows", str(arguments.rows), "--seed", str(seed)]
    command += ["--threads", str(arguments.threads), *more]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(arguments.threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def beside(runs: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Ours beside each other engine, medians over the seeds: times as fast, share of its memory, difference in loss."""
    ours, *others = runs
    middle = {name: {key: statistics.median(one[key] for one in got) for key in SHOWN} for name, got in runs.items()}
    for other in others:
        mine, theirs = middle[ours], middle[other]
        yield (
            f"{ours} beside {other}: {theirs['processor_seconds'] / mine['processor_seconds']:.2f}x as fast by "
            f"processor time, {theirs['wall_seconds'] / mine['wall_seconds']:.2f}x by the clock, "
            f"{mine['peak_mb'] / theirs['peak_mb']:.2f} of its memory, "
            f"loss {mine['held_out_loss'] / theirs['held_out_loss'] - 1:+.1%}"
        )


def main() -> None:
    """Parse, run, print a table and the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="")
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--long", action="store_true", help="rows share a long instruction")
    parser.add_argument("--no-prefix", action="store_true")
    arguments = parser.parse_args()
    if arguments.engine:
        one(arguments)
        return
    print(
        "| engine | seed | processor s | tokens/s | peak MB | held-out loss | wall s |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    long = ["--long"] if arguments.long else []
    wanted = [(engine, engine, long) for engine in (arguments.only.split(";") if arguments.only else ENGINES)]
    if arguments.long:
        wanted.append(("ours, instruction run for every row", "ours", [*long, "--no-prefix"]))
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in wanted}
    for seed in range(arguments.seeds):
        for name, engine, more in wanted:
            found = spawn(engine, arguments, seed, *more)
            runs[name].append(found)
            print(f"| {name} | {seed} | {' | '.join(str(found[key]) for key in SHOWN)} |", flush=True)
    for line in beside(runs):
        print(line)


if __name__ == "__main__":
    main()
