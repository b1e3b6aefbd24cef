"""What a card computes with beyond torch's own kernels: flash attention and Liger's, each where it is installed."""

from __future__ import annotations

from typing import Any

# Norms, rotary positions and gates only: the loss over the vocabulary is taken in trainers/lora/forward.py.
_LIGER = {"cross_entropy": False, "fused_linear_cross_entropy": False}


def with_kernels(model: Any, kind: str, dtype: str, attention: str, *, asked: bool) -> str:
    """Set a loaded model to the fastest kernels of its device; returns the attention that it now computes.

    Both are switched on by transformers. `asked` is whether a plan names the attention, which then stays.
    """
    if kind != "cuda":
        return attention
    from transformers.integrations.liger import apply_liger_kernel
    from transformers.utils.import_utils import is_flash_attn_2_available, is_liger_kernel_available

    if is_liger_kernel_available():
        apply_liger_kernel(model, dict(_LIGER))  # type: ignore[no-untyped-call]
    if asked or dtype != "bfloat16" or not model._supports_flash_attn or not is_flash_attn_2_available():
        return attention
    model.set_attn_implementation("flash_attention_2")
    return "flash_attention_2"
