"""One answer, token by token, as it comes: for clients that read along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from trainers.lora.cache import roomy_cache
from trainers.lora.session import Session


def stream(session: Session, prompt: Sequence[int], longest: int) -> Iterator[tuple[str, int, bool]]:
    """The words that each new token adds, the tokens so far, and whether the model ended by itself.

    Greedy, like every answer here. A character that is spread over several tokens comes with the last of them. Spaces
    at both ends are left out, as in an answer that comes whole.
    """
    loss, encoder = session.words, session.writer
    cache = roomy_cache(loss.model.config.get_text_config().num_hidden_layers) if loss.can_share else None
    ids = torch.tensor([list(prompt)], device=loss.device)
    said: list[int] = []
    told = ""
    while len(said) < longest:
        with torch.inference_mode():
            output = loss.decoder(input_ids=ids, past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            token = int(loss.head(output.last_hidden_state[:, -1]).argmax(-1))
        said.append(token)
        if token in encoder.end_ids:
            yield encoder.text(said)[len(told) :], len(said), True
            return
        text = encoder.text(said)
        if not text.endswith("�") and text.startswith(told):
            yield text[len(told) :], len(said), False
            told = text
        ids = torch.tensor([[token]], device=loss.device)
