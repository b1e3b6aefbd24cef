"""The loss on the answers' tokens, computed for those tokens only; a common beginning of the rows is run once.

The transformers model and its peft layers are used as they stand. Two things are done around them:

- The vocabulary head is applied to the positions that carry loss, in slices, and each slice's gradient is taken at
  once, so that no table of logits is kept (49,152 × 4 bytes a position). `plain_loss` is the model's own way; the two
  agree to rounding. A head that learns, or caps or scales its logits, is applied a second time on the way back instead.
- Rows that begin with the same instruction share its keys and values; their gradients are summed over the rows of the
  step and sent back through the instruction once. Exact, as the instruction never sees what follows it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from trainers.lora.tokens import Encoded

_SLICE = 256
# How far two ways of rounding the same logits may lie apart, as a share of them. A cap taken in bfloat16 (8 bits), as
# models do it, is off by 0.003 from one taken in float32; a head that does something else is off by far more.
_ROUNDING = {torch.bfloat16: 0.02, torch.float16: 0.005}

KeysValues = list[tuple[Tensor, Tensor]]


class Losses(Protocol):
    """What the training loop and its probe ask of a model: summed losses of rows, and how well it does on them."""

    @property
    def model(self) -> Any:
        """What computes: the modules whose activations may be dropped while they learn."""

    @property
    def can_share(self) -> bool:
        """Whether a common head of the rows can be run once."""

    def run_prefix(self, ids: Sequence[int]) -> KeysValues:
        """Keys and values of that head."""

    def __call__(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> tuple[Tensor, int]:
        """The summed loss of the rows, and how many tokens (or labels) carry it."""

    def tally(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> Tally:
        """Loss and right answers, without gradients."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What some rows cost and how well they did, summed: `exact` counts rows whose every learned token came first."""

    loss: float
    tokens: int
    right: int
    exact: int
    rows: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.loss + other.loss,
            self.tokens + other.tokens,
            self.right + other.right,
            self.exact + other.exact,
            self.rows + other.rows,
        )


class HeadLoss(torch.autograd.Function):
    """Cross-entropy of `hidden @ weightᵀ (+ bias)` against `targets`, token by token; keeps `hidden`'s gradient alone.

    Shapes: hidden (tokens, width), weight (vocabulary, width), targets and the result (tokens). The weight is frozen.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        """The losses, in float32."""
        losses = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        gradient = torch.empty_like(hidden)
        for start in range(0, hidden.shape[0], _SLICE):
            part = slice(start, start + _SLICE)
            logits = functional.linear(hidden[part], weight, bias).float()
            peak = torch.logsumexp(logits, dim=-1, keepdim=True)
            losses[part] = (peak - logits.gather(1, targets[part, None])).squeeze(-1)
            if not ctx.needs_input_grad[0]:
                continue
            slope = logits.sub_(peak).exp_()
            slope.scatter_add_(1, targets[part, None], -torch.ones_like(targets[part, None], dtype=slope.dtype))
            gradient[part] = slope.to(hidden.dtype) @ weight
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        """The kept gradient, scaled token by token."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None].to(gradient.dtype), None, None, None


class AnswerLoss:
    """Losses of rows under one model. `model` is the causal model with its adapters in place."""

    def __init__(self, model: Any, *, own_head: bool = False) -> None:
        self.model = model
        self.decoder = model.base_model
        self.head = model.get_output_embeddings()
        config = model.config.get_text_config()
        self.cap = float(getattr(config, "final_logit_softcapping", None) or 0.0)  # Gemma
        self.scale = float(getattr(model, "logit_scale", None) or 1.0)  # Cohere
        self.scale /= float(getattr(config, "logits_scaling", None) or 1.0)  # Granite
        self.own_head = own_head or bool(self.cap) or self.scale != 1.0
        # Positions that the model knows; one without a bound of its own reads as far as memory goes.
        self.context = int(getattr(config, "max_position_embeddings", None) or sys.maxsize)
        self.device = next(model.parameters()).device

    def logits(self, hidden: Tensor) -> Tensor:
        """The model's logits for last hidden states, in float32, capped and scaled as the model does it."""
        found: Tensor = self.head(hidden).float() * self.scale
        return self.cap * torch.tanh(found / self.cap) if self.cap else found

    def is_the_models_own(self) -> bool:
        """Whether `logits` says what the model's own forward says: a head may do what is not known here."""
        ids = torch.arange(4, device=self.device)[None] % self.model.config.get_text_config().vocab_size
        with torch.no_grad():
            said = self.model(input_ids=ids, use_cache=False).logits
            ours = self.logits(self.decoder(input_ids=ids, use_cache=False).last_hidden_state)
        own = said.float()
        return bool((own - ours).norm() <= _ROUNDING.get(said.dtype, 1e-3) * own.norm())

    @property
    def can_share(self) -> bool:
        """Whether keys and values of a common head can be kept: layers of full attention only."""
        config = self.model.config.get_text_config()
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        return kinds == {"full_attention"} and not getattr(config, "sliding_window", None)

    def run_prefix(self, ids: Sequence[int]) -> KeysValues:
        """Keys and values, layer by layer, of tokens that stand at the head of every row."""
        tokens = torch.tensor([ids], device=self.device)
        cache = self.decoder(input_ids=tokens, use_cache=True).past_key_values
        return [(layer.keys, layer.values) for layer in cache.layers]

    def __call__(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> tuple[Tensor, int]:
        """The summed loss of the rows' learned tokens, and how many they are."""
        hidden, targets, _ = self.learned_states(rows, prefix)
        return self.losses(hidden, targets).sum(), len(targets)

    def losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """The loss of each token in float32, from the state before it; no logits are kept for the way back."""
        if not self.own_head:
            bias = getattr(self.head, "bias", None)
            found: Tensor = HeadLoss.apply(hidden, self.head.weight, bias, targets)  # type: ignore[no-untyped-call]
            return found
        # A head that learns has a gradient for each slice, as large as itself: two slices' logits take no more.
        if len(targets) <= _SLICE * (2 if self.head.weight.requires_grad else 1):
            return self._losses(hidden, targets)
        slices = zip(torch.split(hidden, _SLICE), torch.split(targets, _SLICE), strict=True)
        again = [checkpoint(self._losses, *part, use_reentrant=False, preserve_rng_state=False) for part in slices]
        return torch.cat(again)

    def _losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(self.logits(hidden), targets, reduction="none")

    @torch.no_grad()
    def tally(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> Tally:
        """Loss, right tokens, wholly right rows. A row is exact here if and only if greedy decoding would write it."""
        hidden, targets, owner = self.learned_states(rows, prefix)
        loss, right = 0.0, torch.zeros_like(targets, dtype=torch.bool)
        for start in range(0, len(targets), _SLICE):
            part = slice(start, start + _SLICE)
            logits = self.logits(hidden[part])
            loss += float(functional.cross_entropy(logits, targets[part], reduction="sum"))
            right[part] = logits.argmax(-1) == targets[part]
        wrong_rows = set(owner[~right].tolist())
        return Tally(loss, len(targets), int(right.sum()), len(rows) - len(wrong_rows), len(rows))

    def plain_loss(self, rows: Sequence[Encoded]) -> Tensor:
        """The same summed loss as the model's own forward computes it: every position, all logits kept."""
        width = max(len(row.ids) for row in rows)
        ids, labels = torch.zeros((len(rows), width), dtype=torch.long), torch.full((len(rows), width), -100)
        for place, row in enumerate(rows):
            ids[place, : len(row.ids)] = torch.tensor(row.ids)
            labels[place, : len(row.ids)] = torch.where(torch.tensor(row.learn), torch.tensor(row.ids), -100)
        logits = self.model(input_ids=ids.to(self.device), use_cache=False).logits.float()
        targets = labels[:, 1:].flatten().to(self.device)
        return functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets, reduction="sum")

    def learned_states(
        self, rows: Sequence[Encoded], prefix: KeysValues | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states of the positions before each learned token, those tokens, and which row each belongs to.

        Rows are padded on the right, where a causal model never looks, so no mask is needed.
        """
        skip = prefix[0][0].shape[-2] if prefix else 0
        ids, positions = self._padded(rows, skip)
        past = _cache_of(prefix, len(rows)) if prefix else None
        states = self.decoder(
            input_ids=ids, position_ids=positions, past_key_values=past, use_cache=past is not None
        ).last_hidden_state
        where_row, where_position, targets = [], [], []
        for place, row in enumerate(rows):
            for position in range(1, len(row.ids)):
                if row.learn[position]:
                    where_row.append(place)
                    where_position.append(position - 1 - skip)
                    targets.append(row.ids[position])
        owner = torch.tensor(where_row, device=states.device)
        hidden = states[owner, torch.tensor(where_position, device=states.device)]
        place = self.head.weight.device  # another card than the last layer's, where a model is spread over several
        return hidden.to(place), torch.tensor(targets, device=place), owner.to(place)

    def _padded(self, rows: Sequence[Encoded], skip: int) -> tuple[Tensor, Tensor]:
        # The last token of a row predicts nothing, so it is not run.
        width = max(len(row.ids) for row in rows) - 1 - skip
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        for place, row in enumerate(rows):
            kept = row.ids[skip:-1]
            ids[place, : len(kept)] = torch.tensor(kept)
        positions = torch.arange(skip, skip + width).expand(len(rows), -1)
        return ids.to(self.device), positions.to(self.device)


def _cache_of(prefix: KeysValues, rows: int) -> Any:
    """A transformers cache in which every row begins with the same keys and values (a view, nothing is copied)."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(prefix):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache


@contextlib.contextmanager
def measuring(model: Any) -> Iterator[None]:
    """Inside, nothing is dropped at random: a model is measured as it will answer. Afterwards it learns as before."""
    learning = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in learning:
            module.training = True


def step_gradients(
    loss_of: Losses,
    groups: Sequence[Sequence[Encoded]],
    prefix_ids: Sequence[int] = (),
    tokens: int = 0,
    idle: Sequence[Sequence[Encoded]] = (),
) -> tuple[float, int]:
    """Add the gradient of the mean loss over all learned tokens of `groups`; return the summed loss and their number.

    `tokens` is that number where other processes run more groups of the same step. `idle` groups are run and count
    nothing: a sharded model needs every process in every pass.

    One mean over the whole step, however it is cut into micro-batches: averaging averages weighs short answers double
    (transformers #34191).
    """
    tokens = tokens or sum(row.learned for group in groups for row in group)
    total = 0.0
    prefix = loss_of.run_prefix(prefix_ids) if prefix_ids and groups else None
    leaves = None
    if prefix is not None:
        leaves = [(k.detach().requires_grad_(), v.detach().requires_grad_()) for k, v in prefix]
    for group in groups:
        loss, _ = loss_of(group, leaves)
        (loss / tokens).backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    for group in idle:
        loss, _ = loss_of(group)
        (0 * loss).backward()  # type: ignore[no-untyped-call]
    if prefix is not None and leaves is not None:
        outputs, upstream = [], []
        for made, leaf in zip(prefix, leaves, strict=True):
            for output, copy in zip(made, leaf, strict=True):
                if copy.grad is not None and output.requires_grad:
                    outputs.append(output)
                    upstream.append(copy.grad)
        if outputs:
            torch.autograd.backward(outputs, upstream)
    return total, tokens
