"""Conversations as OpenAI's fine-tuning file has them: one JSON object a line, which this tool reads back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from advisor.base.files import write_atomically
from trainers.lora.examples import Example, Message


def as_turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as the services read them; an answer that is shown but not learned has the weight 0."""
    return [
        {"role": one.role, "content": one.content} | ({} if one.learn or one.role != "assistant" else {"weight": 0})
        for one in messages
    ]


def write_examples(examples: Sequence[Example], path: Path) -> int:
    """Write the file, whole or not at all; returns its size in bytes."""
    lines = [json.dumps({"messages": as_turns(one.messages)}, ensure_ascii=False) for one in examples]
    write_atomically(path, "\n".join(lines) + "\n")
    return path.stat().st_size


def most_trained_tokens(examples: Sequence[Example], epochs: float) -> int:
    """Tokens that a service may bill for: two bytes a token, which few texts reach, and eight for each turn's frame."""
    size = sum(len(one.content.encode()) // 2 + 8 for example in examples for one in example.messages)
    return int(size * epochs)
