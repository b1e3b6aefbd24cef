"""The graphics memory of this machine, as a fact with its evidence."""

from __future__ import annotations

import shutil

from advisor.base.machine import cards


def graphics_gb() -> tuple[float, str]:
    """Memory of the largest graphics card in GB, and how it is known; 0 when there is none to be seen."""
    if shutil.which("nvidia-smi") is None:
        return 0.0, "nvidia-smi is not on this machine, so no NVIDIA card is usable here"
    found = [(round(card.memory_mb / 1024, 1), card.name) for card in cards() if card.memory_mb is not None]
    if not found:
        return 0.0, "nvidia-smi lists no card"
    memory, name = max(found)
    return memory, f"nvidia-smi: {name}, the largest of {len(found)}"
