"""Several processes that learn one run together: gradients are summed over them, the first one decides and writes.

Started by `accelerate launch` or `torchrun`, which name each process; alone, everything here does nothing. Each process
takes its share of a step's micro-batches, so a step is the same whatever the number of processes, but for rounding.
Where the weights themselves are shared out, gradients arrive already summed (trainers/lora/sharding.py).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed


@dataclass(frozen=True, slots=True)
class Team:
    """The place of one process among `size`; `sharded` when each holds only its share of the weights."""

    rank: int = 0
    size: int = 1
    sharded: bool = False

    def share(self, groups: Sequence[Any]) -> Sequence[Any]:
        """The micro-batches that are this process's."""
        return groups[self.rank :: self.size]

    def idle(self, groups: Sequence[Any]) -> Sequence[Any]:
        """What this process runs beside its share, for nothing, so that all run equally often; the shortest."""
        busy = len(self.share(groups)) == math.ceil(len(groups) / self.size)
        return groups[-1:] if self.sharded and not busy else ()

    def sum_gradients(self, weights: Sequence[Tensor], loss: float) -> float:
        """Put the sum over all processes into each weight's gradient; returns the summed loss."""
        if self.size == 1:
            return loss
        ours = () if self.sharded else weights
        parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in ours]
        last = torch.tensor([loss], device=weights[0].device)
        flat = torch.cat([*(part.flatten().float() for part in parts), last])
        distributed.all_reduce(flat)
        at = 0
        for weight, part in zip(ours, parts, strict=True):
            weight.grad = flat[at : at + part.numel()].view_as(part).to(part.dtype)
            at += part.numel()
        return float(flat[-1])

    def from_first(self, value: Any) -> Any:
        """The first process's value, plain JSON, in all of them: what was timed or looked at must be one thing."""
        if self.size == 1:
            return value
        written = json.dumps(value).encode() if self.rank == 0 else b""
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        length = torch.tensor([len(written)], device=device)
        distributed.broadcast(length, 0)
        content = torch.zeros(int(length), dtype=torch.uint8, device=device)
        if self.rank == 0:
            content = torch.tensor(list(written), dtype=torch.uint8, device=device)
        distributed.broadcast(content, 0)
        return json.loads(bytes(content.cpu().tolist()))


def join_team() -> Team:
    """The team that a launcher made of this process and others, by the names it gave it; else a team of one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    on_card = torch.cuda.is_available()
    if on_card:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if on_card else "gloo")
    return Team(distributed.get_rank(), size)
