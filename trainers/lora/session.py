"""A base model made ready on this machine: tokenizer, weights, adapters; it gives losses and answers."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plain import to_plain
from trainers.contract import Progress
from trainers.lora.base import end_ids, load_model, load_tokenizer, locate
from trainers.lora.classes import ClassLoss, LabelEncoder, label_options, padding_of
from trainers.lora.counting import lengths_of
from trainers.lora.examples import Message
from trainers.lora.forward import AnswerLoss
from trainers.lora.generate import answer
from trainers.lora.kernels import with_kernels
from trainers.lora.machine import Arithmetic, Device, choose_arithmetic, find_device
from trainers.lora.preferences import PairLoss
from trainers.lora.recipe import Recipe
from trainers.lora.tokens import Encoded, Encoder

# Up to this length eager attention beats the fused kind in bfloat16 on a processor (12.8 against 41 ms, measured).
_SHORT = 256


@dataclass
class Session:
    """Everything that answers and learns. `model` is the causal model, `adapted` the same with adapters, if any."""

    encoder: Encoder | LabelEncoder
    model: Any
    adapted: Any
    loss: AnswerLoss | ClassLoss | PairLoss
    device: Device
    arithmetic: Arithmetic
    recipe: Recipe
    labels: tuple[str, ...] = ()

    def trainable(self) -> list[tuple[str, Tensor]]:
        """The weights that learn, by name."""
        return [(name, weight) for name, weight in self.adapted.named_parameters() if weight.requires_grad]

    def answers(
        self, questions: Sequence[Sequence[Message]], longest: int, told: Callable[[int], None] | None = None
    ) -> list[str]:
        """What the model says to each conversation, at most `longest` tokens each, greedily; or its likeliest class."""
        if self.labels:
            return [max(row, key=row.__getitem__) for row in self.scores(questions)]
        prompts = [self.writer.prompt(question) for question in questions]
        said = answer(self.words, prompts, end_ids=self.writer.end_ids, longest=longest, told=told)
        return [self.writer.text(ids) for ids in said]

    def scores(self, questions: Sequence[Sequence[Message]]) -> list[dict[str, float]]:
        """The probability of each class for each question; nothing where words are written."""
        if not isinstance(self.loss, ClassLoss):
            return []
        found = self.loss.probabilities([self.encoder.prompt(question) for question in questions])
        return [dict(zip(self.labels, row, strict=True)) for row in found.tolist()]

    def end_learning(self) -> None:
        """From here on the model only answers: activations are not dropped, as that would drop keys and values too."""
        if self.recipe.checkpointing == "on":
            self.model.gradient_checkpointing_disable()
        self.adapted.eval()

    @contextlib.contextmanager
    def as_base(self, where: Path | str) -> Iterator[Session]:
        """What answers as if nothing had been tuned; `where` is the base. Holds only inside the `with`."""
        if isinstance(self.adapted, PeftModel):
            with untuned(self.adapted):
                yield self
            return
        # Every weight has learned: what they were stands only in the base's own file.
        more = _quantised(self.recipe, self.device, self.arithmetic.dtype)
        kind, attention = self.device.kind, self.recipe.attention
        model = load_model(where, dtype=self.arithmetic.dtype, attention=attention, device=kind, **more)
        yield replace(self, model=model, adapted=model, loss=AnswerLoss(model))

    @property
    def writer(self) -> Encoder:
        """What turns conversations into tokens and back. Raises `TypeError` for a model that only sorts."""
        if isinstance(self.encoder, LabelEncoder):
            raise TypeError("this model sorts and cannot write")
        return self.encoder

    @property
    def words(self) -> AnswerLoss:
        """What writes and scores words. Raises `TypeError` for a model that only sorts."""
        if isinstance(self.loss, ClassLoss):
            raise TypeError("this model sorts and cannot write")
        return self.loss.words if isinstance(self.loss, PairLoss) else self.loss


def open_base(recipe: Recipe, folder: Path, progress: Progress) -> tuple[Path | str, Any, Device, Arithmetic]:
    """Where the base is, its tokenizer, the device and the arithmetic; weights are not loaded yet."""
    where = locate(recipe.base, folder, progress)
    device = find_device()
    arithmetic = choose_arithmetic(device)
    if recipe.dtype != "auto":
        arithmetic = replace(arithmetic, dtype=recipe.dtype, reason="named in the plan")
    return where, load_tokenizer(where), device, arithmetic


def open_session(
    recipe: Recipe,
    where: Path | str,
    tokenizer: Any,
    device: Device,
    arithmetic: Arithmetic,
    longest: int,
    seed: int,
    *,
    adapter: Path | None = None,
    labels: Sequence[str] = (),
    pairs: bool = False,
) -> Session:
    """The model with fresh adapters (or those saved in `adapter`), ready to learn and to answer.

    With `labels` it has a classification head over them, else it writes words; with `pairs` it learns to prefer.
    """
    torch.set_float32_matmul_precision(arithmetic.precision)
    attention = recipe.attention
    if attention == "auto":
        short = device.kind == "cpu" and arithmetic.dtype == "bfloat16" and longest <= _SHORT
        attention = "eager" if short else "sdpa"
    if device.kind == "cpu" and attention == "flash_attention_2":
        attention = "sdpa"
    more = _quantised(recipe, device, arithmetic.dtype)
    if labels:
        more |= {"kind": "SequenceClassification", **label_options(labels, tokenizer)}
    torch.manual_seed(seed)  # before loading: a fresh head is drawn there
    model = load_model(where, dtype=arithmetic.dtype, attention=attention, device=device.kind, **more)
    attention = with_kernels(
        model, device.kind, arithmetic.dtype, attention, asked=recipe.attention != "auto" or bool(labels)
    )
    torch.manual_seed(seed)
    adapted = adapted_model(model, recipe, adapter)
    if recipe.checkpointing == "on":
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.train()
    settled = replace(recipe, attention=attention, dtype=arithmetic.dtype)
    if labels:
        sorter = ClassLoss(model, padding_of(tokenizer))
        coder = LabelEncoder(tokenizer, labels)
        return Session(coder, model, adapted, sorter, device, arithmetic, settled, tuple(labels))
    loss = AnswerLoss(model, own_head=recipe.learning == "full")
    if not loss.is_the_models_own():
        raise BadInput(
            f"The head of {plain(recipe.base, 60)} does more with its logits than this trainer knows.",
            where="plan.yaml: settings.base",
            why="It would learn under another loss than it answers with.",
            fix="Choose another base model, for example smollm2-135m-instruct.",
            code="unknown-head",
        )
    encoder = Encoder(tokenizer, end_ids(where, tokenizer))
    learned = PairLoss(loss, lambda: untuned(adapted), recipe.beta) if pairs else loss
    return Session(encoder, model, adapted, learned, device, arithmetic, settled)


@contextlib.contextmanager
def untuned(adapted: Any) -> Iterator[None]:
    """Inside, a model with adapters computes as if it had none."""
    if isinstance(adapted, PeftModel):
        with adapted.disable_adapter():
            yield
    else:
        yield


def adapted_model(model: Any, recipe: Recipe, adapter: Path | None = None) -> Any:
    """The model with fresh adapters, or those saved in `adapter`; for full fine-tuning the model, free to learn."""
    if recipe.learning == "full":
        if adapter is None:
            model.requires_grad_(True)
        return model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft warns of what it renames in other libraries
        if adapter is not None:
            return PeftModel.from_pretrained(model, str(adapter), autocast_adapter_dtype=False)
        targets: str | list[str] = recipe.targets
        if recipe.targets != "all-linear":
            targets = [name.strip() for name in recipe.targets.split(",")]
        config = LoraConfig(
            r=recipe.r,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            target_modules=targets,
            task_type="SEQ_CLS" if type(model).__name__.endswith("SequenceClassification") else "CAUSAL_LM",
        )
        adapted = get_peft_model(model, config, autocast_adapter_dtype=False)
        return adapted.train() if recipe.dropout else adapted.eval()


def _quantised(recipe: Recipe, device: Device, dtype: str) -> dict[str, Any]:
    from trainers.lora.accelerators import loading_options

    return loading_options(recipe, device, dtype)


def lengths(rows: Sequence[Encoded], limit: int) -> dict[str, object]:
    """How long the rows are, in tokens: shortest, median, 95th of a hundred, longest, all together, their spread."""
    sizes = sorted(len(row.ids) for row in rows)
    return {
        "shortest": sizes[0],
        "median": sizes[len(sizes) // 2],
        "p95": sizes[min(len(sizes) - 1, int(len(sizes) * 0.95))],
        "longest": sizes[-1],
        "total": sum(sizes),
        "learned": sum(row.learned for row in rows),
        "spread": to_plain(lengths_of([max(len(one.ids) for one in row.pair or (row,)) for row in rows], limit, "")),
    }
