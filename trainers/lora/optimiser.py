"""AdamW on float32 copies of the adapters, with a warm-up and a straight descent of the learning rate.

Weights that are shared out among processes stay so, and so do their moments; what is read or put back is always whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainers.lora.sharding import share_of, whole


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate of each step: up to `peak` over `warmup` steps, then straight down to nothing at `steps`."""

    peak: float
    warmup: int
    steps: int

    def at(self, step: int) -> float:
        """The rate of step `step`, counted from 0."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        return self.peak * max(0.0, (self.steps - step) / max(1, self.steps - self.warmup))


class Optimiser:
    """Adapters in bfloat16 learn in float32: a step of 1e-4 on a weight of 1 would round away (bfloat16 keeps 8 bits).

    In float32 the adapters are their own masters and nothing is copied. `paged`: the moments in 8 bits, moved to main
    memory while a card has no room for them (bitsandbytes).
    """

    def __init__(
        self,
        named: list[tuple[str, Tensor]],
        schedule: Schedule,
        *,
        clip: float,
        weight_decay: float,
        paged: bool = False,
    ) -> None:
        self.named = named
        self.schedule = schedule
        self.clip = clip
        self.masters = [p if p.dtype == torch.float32 else p.detach().float().requires_grad_() for _, p in named]
        self.paged = paged
        if paged:
            from bitsandbytes.optim import PagedAdamW8bit

            self.adamw = PagedAdamW8bit(self.masters, lr=schedule.peak, weight_decay=weight_decay)
        else:
            self.adamw = torch.optim.AdamW(self.masters, lr=schedule.peak, weight_decay=weight_decay, fused=True)

    def step(self, number: int) -> float:
        """Use the gradients on the adapters, then clear them. Returns the gradient's norm before clipping."""
        for (_, weight), master in zip(self.named, self.masters, strict=True):
            if master is not weight:
                master.grad = None if weight.grad is None else weight.grad.float()
        norm = torch.nn.utils.clip_grad_norm_(self.masters, self.clip)
        for group in self.adamw.param_groups:
            group["lr"] = self.schedule.at(number)
        self.adamw.step()
        self.publish()
        self.clear()
        return float(whole(norm))

    def clear(self) -> None:
        """Drop all gradients."""
        self.adamw.zero_grad(set_to_none=True)
        for _, weight in self.named:
            weight.grad = None

    def forget(self) -> None:
        """Drop what AdamW remembers: the next step is its first."""
        self.adamw.state.clear()

    @torch.no_grad()
    def publish(self) -> None:
        """Bring the adapters to their masters' values."""
        for (_, weight), master in zip(self.named, self.masters, strict=True):
            if master is not weight:
                weight.copy_(master)

    def weights(self, *, wanted: bool = True) -> dict[str, Tensor]:
        """The float32 weights by name, on the processor: they may change with the next step, so write or copy them.

        Where they are shared out every process must ask; one that has no use for them gets none.
        """
        kept: dict[str, Tensor] = {}
        for (name, _), master in zip(self.named, self.masters, strict=True):
            _gather(master, name, kept, wanted)
        return kept

    @torch.no_grad()
    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Put float32 weights back."""
        for (name, _), master in zip(self.named, self.masters, strict=True):
            master.copy_(share_of(weights[name], master))
        self.publish()

    def moments(self, *, wanted: bool = True) -> dict[str, Tensor]:
        """What AdamW remembers of each weight, by name, as `weights`; empty before the first step."""
        kept: dict[str, Tensor] = {}
        for (name, _), master in zip(self.named, self.masters, strict=True):
            for key, value in self.adamw.state.get(master, {}).items():
                _gather(torch.as_tensor(value), f"{key}:{name}", kept, wanted)
        return kept

    def set_moments(self, moments: dict[str, Tensor]) -> None:
        """Put back what AdamW remembered."""
        if self.paged:
            self._set_paged(moments)
            return
        for (name, _), master in zip(self.named, self.masters, strict=True):
            state: dict[str, Any] = {}
            for key in ("step", "exp_avg", "exp_avg_sq"):
                if (kept := moments.get(f"{key}:{name}")) is not None:
                    state[key] = kept.to(master.device, copy=True) if key == "step" else share_of(kept, master)
            if state:
                self.adamw.state[master] = state

    @torch.no_grad()
    def _set_paged(self, moments: dict[str, Tensor]) -> None:
        """Into room that bitsandbytes makes itself, as only it can make a tensor that may leave the card."""
        group = self.adamw.param_groups[0]
        for place, ((name, _), master) in enumerate(zip(self.named, self.masters, strict=True)):
            if f"step:{name}" not in moments:
                continue
            self.adamw.init_state(group, master, 0, place)
            state = self.adamw.state[master]
            for key, value in state.items():
                kept = moments[f"{key}:{name}"]
                if isinstance(value, Tensor):
                    value.copy_(kept)
                else:
                    state[key] = int(kept)


def _gather(tensor: Tensor, name: str, into: dict[str, Tensor], wanted: bool) -> None:
    found = whole(tensor.detach())
    if wanted:
        into[name] = found.cpu().contiguous()
