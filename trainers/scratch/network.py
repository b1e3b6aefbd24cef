"""A small convolutional network for square pictures, and how it is trained: moved a little each round, stopped early.

One processor thread and fixed seeds: the same plan gives the same network. After each round its weights, its
optimiser and the best weights so far are kept, so that a killed run goes on from the last whole round.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import nn

from advisor.base.errors import BadInput
from advisor.base.files import read_text, sha256_of_file, to_json, write_atomically
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.common.runfolder import work_file
from trainers.contract import Progress


class SmallNetwork(nn.Module):
    """Three stages of convolutions, each half the size of the one before, then the mean of each channel."""

    def __init__(self, classes: int, channels: int, colours: int = 1) -> None:
        super().__init__()

        def stage(inside: int, outside: int, stride: int) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(inside, outside, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
            )

        self.body = nn.Sequential(
            stage(colours, channels, 1),
            stage(channels, channels, 2),
            stage(channels, 2 * channels, 1),
            stage(2 * channels, 2 * channels, 2),
            stage(2 * channels, 4 * channels, 1),
        )
        self.head = nn.Linear(4 * channels * 4, classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Scores [rows, classes] of pictures [rows, colours, side, side]."""
        found = nn.functional.adaptive_avg_pool2d(self.body(pictures), 2)
        return self.head(found.flatten(1))  # type: ignore[no-any-return]  # torch's modules are untyped


@dataclass
class Learnt:
    """The best network, what it scored each round on the rows that say when to stop, and how many rounds were run."""

    network: SmallNetwork
    rounds: list[dict[str, float]]


def as_pictures(values: Floats, side: int) -> torch.Tensor:
    """[rows, colours, side, side] with mean near nothing, of values colour after colour."""
    return torch.tensor((values - 0.5) * 2, dtype=torch.float32).reshape(len(values), -1, side, side)


def learn(
    values: Floats, truth: Integers, classes: int, side: int, held: Integers, run: Path, seed: int,
    progress: Progress, seconds: float, most: int | None = None,
) -> Learnt:  # fmt: skip
    """Train until the held-out rows gain no more, the time is up, or after `most` rounds (else as the rules say).

    `held` are positions that are not trained on.
    """
    rules, settings = policy("scratch")["stop"], policy("scratch")["network"]
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = SmallNetwork(classes, settings["channels"], values.shape[1] // side**2)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings["rate"], weight_decay=settings["decay"])
    pictures, answers = as_pictures(values, side), torch.tensor(truth)
    train = np.setdiff1d(np.arange(len(truth)), held)
    rounds = _resumed(run, network, optimiser)
    end = time.monotonic() + seconds
    longest = 0.0
    planned = int(rounds[0]["planned"]) if rounds else most or rules["rounds"]
    while len(rounds) < planned and not _over(rounds, rules["patience"]):
        if rounds and time.monotonic() + longest > end:
            break
        started = time.monotonic()
        at = len(rounds)
        _set_rate(optimiser, settings["rate"], at / planned)
        loss = _one_round(network, optimiser, pictures, answers, train, np.random.default_rng((seed, at)))
        said = probabilities(network, values[held], side)
        right = float((said.argmax(axis=1) == truth[held]).mean())
        held_loss = float(-np.log(np.maximum(said[np.arange(len(held)), truth[held]], 1e-12)).mean())
        longest = max(longest, time.monotonic() - started)
        if not rounds:
            # As many rounds as the time may hold, so that the rate can fall to nothing by the last one.
            planned = max(2, min(planned, int((end - time.monotonic()) / longest) + 1))
        told = {"round": at + 1.0, "loss": loss, "held_loss": held_loss, "right": right, "planned": float(planned)}
        rounds.append(told)
        _keep(run, network, optimiser, rounds)
        progress.step(at + 1, planned, f"round {at + 1}, {right:.1%} right on rows held back")
    network.load_state_dict(safetensors.torch.load_file(_weights_after(run, best_of(rounds))))
    return Learnt(network, rounds)


def learn_again(values: Floats, truth: Integers, classes: int, side: int, rounds: int, seed: int) -> SmallNetwork:
    """A network of so many rounds on these rows, that nothing stops and nothing keeps: for a learning curve."""
    settings = policy("scratch")["network"]
    torch.manual_seed(seed)
    network = SmallNetwork(classes, settings["channels"])
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings["rate"], weight_decay=settings["decay"])
    pictures, answers, every = as_pictures(values, side), torch.tensor(truth), np.arange(len(truth))
    for at in range(rounds):
        _set_rate(optimiser, settings["rate"], at / rounds)
        _one_round(network, optimiser, pictures, answers, every, np.random.default_rng((seed, at)))
    return network


def probabilities(network: SmallNetwork, values: Floats, side: int) -> Floats:
    """[rows, classes]; some rows at a time, so that memory stays flat."""
    network.eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(values), 256):
            scores = network(as_pictures(values[start : start + 256], side))
            found.append(torch.softmax(scores, dim=1).numpy().astype(np.float64))
    return np.concatenate(found) if found else np.zeros((0, network.head.out_features))


def _one_round(
    network: SmallNetwork, optimiser: Any, pictures: torch.Tensor, answers: torch.Tensor, train: Integers, draw: Any
) -> float:
    settings = policy("scratch")["network"]
    network.train()
    order, total = draw.permutation(train), 0.0
    for start in range(0, len(order), settings["batch"]):
        rows = torch.tensor(order[start : start + settings["batch"]])
        if len(rows) < 2:
            continue  # the mean of one row is no mean: batch normalisation needs two
        scores = network(moved(pictures[rows], draw))
        loss = nn.functional.cross_entropy(scores, answers[rows], label_smoothing=settings["smoothing"])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        total += float(loss.detach()) * len(rows)
    return total / len(order)


def moved(pictures: torch.Tensor, draw: Any, rules: Mapping[str, float] | None = None) -> torch.Tensor:
    """Each picture moved, turned and resized a little, at random.

    `rules` say how far at most, as `augment` of rules/scratch.yaml does, which counts where there are none.
    """
    rules, rows = rules or policy("scratch")["augment"], len(pictures)
    angle = np.deg2rad(draw.uniform(-rules["degrees"], rules["degrees"], rows))
    size = 1 + draw.uniform(-rules["zoom"], rules["zoom"], rows)
    shift = draw.uniform(-2 * rules["shift"], 2 * rules["shift"], (rows, 2))
    turn = np.stack(
        [
            np.stack([np.cos(angle) / size, -np.sin(angle) / size, shift[:, 0]], axis=1),
            np.stack([np.sin(angle) / size, np.cos(angle) / size, shift[:, 1]], axis=1),
        ],
        axis=1,
    )
    shape = list(pictures.shape)
    grid = nn.functional.affine_grid(torch.tensor(turn, dtype=torch.float32), shape, align_corners=False)
    return nn.functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _set_rate(optimiser: Any, rate: float, done: float) -> None:
    """A half cosine from the full rate to nothing."""
    for group in optimiser.param_groups:
        group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * done))


def best_of(rounds: list[dict[str, float]]) -> int:
    """The position of the first of the best rounds."""
    return max(range(len(rounds)), key=lambda at: (rounds[at]["right"], -at))


def _over(rounds: list[dict[str, float]], patience: int) -> bool:
    """Whether the best round lies too far back."""
    return bool(rounds) and len(rounds) - 1 - best_of(rounds) >= patience


def _weights_after(run: Path, at: int) -> Path:
    return work_file(run, f"best-{at + 1}.safetensors")


def _keep(run: Path, network: SmallNetwork, optimiser: Any, rounds: list[dict[str, float]]) -> None:
    """The weights and the optimiser's own, then the note that vouches for them by hash; what it names is kept alone."""
    weights = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        weights |= {f"optimiser.{index}.{name}": value.contiguous() for name, value in state.items()}
    last, best = work_file(run, f"round-{len(rounds)}.safetensors"), _weights_after(run, best_of(rounds))
    write_atomically(last, safetensors.torch.save(weights))
    if best_of(rounds) == len(rounds) - 1:
        write_atomically(best, safetensors.torch.save(dict(network.state_dict())))
    files = {path.name: sha256_of_file(path) for path in (last, best)}
    write_atomically(work_file(run, "rounds.json"), to_json({"rounds": rounds, "files": files}))
    for path in last.parent.glob("*.safetensors"):
        if path.name not in files:
            path.unlink()


def _resumed(run: Path, network: SmallNetwork, optimiser: Any) -> list[dict[str, float]]:
    """What a killed attempt had finished, loaded into the network; nothing when there is nothing whole."""
    try:
        note = json.loads(read_text(work_file(run, "rounds.json")))
        rounds: list[dict[str, float]] = note["rounds"]
        if any(sha256_of_file(work_file(run, name)) != digest for name, digest in note["files"].items()):
            return []
        kept = safetensors.torch.load_file(work_file(run, f"round-{len(rounds)}.safetensors"))
    except (BadInput, OSError, ValueError, TypeError, KeyError, AttributeError, safetensors.SafetensorError):
        return []
    network.load_state_dict({n.removeprefix("network."): v for n, v in kept.items() if n.startswith("network.")})
    state = optimiser.state_dict()
    told: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in kept.items():
        if name.startswith("optimiser."):
            _, index, what = name.split(".")
            told.setdefault(int(index), {})[what] = value
    optimiser.load_state_dict({"state": told, "param_groups": state["param_groups"]})
    return rounds
