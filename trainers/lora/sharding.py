"""Full fine-tuning over several processes: each holds a share of the weights, of their gradients and AdamW's state.

PyTorch's FSDP2: a layer's weights are gathered just before it computes and dropped just after; its gradient is summed
over the processes at once, and each keeps the share that is its own. So every process must make every pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from trainers.lora.forward import KeysValues, Losses, Tally
from trainers.lora.team import Team
from trainers.lora.tokens import Encoded

Result = TypeVar("Result")


class _Root(nn.Module):
    """A model as the outermost unit: what a loss does with body and head, in whatever order, happens in one forward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], Result]) -> Result:
        """What `work` gives while embeddings, norm and head are whole."""
        return work()


class ShardedLoss:
    """The losses of `inner` over `model`, whose parameters become shares (`DTensor`) of the processes of `team`."""

    can_share: bool = False

    def __init__(self, inner: Losses, model: Any, team: Team) -> None:
        self._inner = inner
        self.model = model
        self._root = _Root(model)
        mesh = init_device_mesh(next(model.parameters()).device.type, (team.size,))
        policy = MixedPrecisionPolicy(reduce_dtype=torch.float32)
        # The root too drops its weights after each pass: kept, they would go stale when an optimiser steps.
        for unit in (*_layers(model), self._root):
            fully_shard(unit, mesh=mesh, mp_policy=policy, reshard_after_forward=True)
        for unit in self._root.modules():
            if isinstance(unit, FSDPModule):
                # The sum, not FSDP's mean: a loss is already divided by the tokens of the whole step.
                unit.set_gradient_divide_factor(1.0)
                unit.set_force_sum_reduction_for_comms(True)

    def run_prefix(self, ids: Sequence[int]) -> KeysValues:
        """Never asked for: gradients of a shared head go back through the layers a second time."""
        raise NotImplementedError("a sharded model shares no prefix")

    def __call__(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> tuple[Tensor, int]:
        """The summed loss of the rows, and how many tokens (or labels) carry it."""
        found: tuple[Tensor, int] = self._root(lambda: self._inner(rows))
        return found

    @torch.no_grad()
    def tally(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> Tally:
        """Loss and right answers, without gradients."""
        found: Tally = self._root(lambda: self._inner.tally(rows))
        return found


def _layers(model: Any) -> list[nn.Module]:
    """The repeated layers, as the model's own class names what must not be split."""
    names = set(model._no_split_modules or ())
    lists = (module for module in model.modules() if isinstance(module, nn.ModuleList))
    return [layer for found in lists for layer in found if type(layer).__name__ in names]


def whole(tensor: Tensor) -> Tensor:
    """The tensor with all processes' shares of it; every process must ask, and in the same order."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def share_of(tensor: Tensor, like: Tensor) -> Tensor:
    """What this process holds of a whole tensor, cut and placed as `like` is; nothing is sent."""
    if not isinstance(like, DTensor):
        return tensor.to(like.device, copy=True)
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def held(tensor: Tensor) -> int:
    """How many of the tensor's elements this process holds."""
    return (tensor.to_local() if isinstance(tensor, DTensor) else tensor).numel()
