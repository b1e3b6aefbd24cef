"""The cheaper rungs on the same rows: the base with examples in its prompt, a classifier, one fixed answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.lora.examples import Example, Message

if TYPE_CHECKING:
    from trainers.lora.session import Session

NAMES = {
    "prompt": "the same base model with examples in its prompt",
    "base": "the same base model, untuned",
    "embeddings": "a linear model on the vectors of the same base, untuned",
    "classical": "a linear classifier on word counts",
    "trivial": "always the commonest answer",
}


def shots_for(train: Sequence[Example], count: int, seed: int) -> list[Example]:
    """`count` training examples with as many different answers as there are, drawn by the seed."""
    order = list(train)
    random.Random(f"shots:{seed}").shuffle(order)  # noqa: S311  a draw, not a secret
    fresh: list[Example] = []
    repeated: list[Example] = []
    seen: set[str] = set()
    for example in order:
        (repeated if example.answer in seen else fresh).append(example)
        seen.add(example.answer)
    return (fresh + repeated)[:count]


def with_shots(question: Sequence[Message], shots: Sequence[Example]) -> tuple[Message, ...]:
    """The question with the examples before it, as earlier turns of the same conversation."""
    system = [message for message in question[:1] if message.role == "system"]
    turns = [message for shot in shots for message in shot.messages if message.role != "system"]
    return (*system, *turns, *question[len(system) :])


def with_what_fits(
    length: Callable[[Sequence[Message]], int],
    questions: Sequence[Sequence[Message]],
    shots: Sequence[Example],
    room: int,
) -> tuple[list[tuple[Message, ...]], int]:
    """Each question with as many of the examples before it as `room` tokens hold, and how many got fewer than all.

    `length` counts a conversation's tokens. A question too long by itself is asked alone.
    """
    prompts, fewer = [], 0
    for question in questions:
        count = len(shots)
        while count and length(with_shots(question, shots[:count])) > room:
            count -= 1
        prompts.append(with_shots(question, shots[:count]))
        fewer += count < len(shots)
    return prompts, fewer


def first_turn(said: str, learned: Sequence[Example]) -> str:
    """What a base without a chat template answered, before it went on to the next turn of its own making.

    It was never taught to stop; a blank line ends a turn, unless answers themselves hold one.
    """
    return said if any("\n\n" in example.answer for example in learned) else said.split("\n\n", 1)[0].strip()


def is_closed_set(answers: Sequence[str]) -> bool:
    """Whether the answers are labels: few different ones, each seen several times."""
    return 2 <= len(set(answers)) <= max(2, len(answers) // 5)


def classical_answers(train: Sequence[Example], asked: Sequence[Example]) -> list[str]:
    """Answers of a logistic regression on TF-IDF of words and pairs of words: seconds to fit, nothing to host.

    Only where the answers are labels; it cannot write a text it has not seen.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10.0, max_iter=2000)
    )
    model.fit([example.asked for example in train], [example.answer for example in train])
    return [str(answer) for answer in model.predict([example.asked for example in asked])]


def embeddings_answers(
    where: Path | str, session: Session, train: Sequence[Example], asked: Sequence[Example]
) -> list[str]:
    """Answers of a logistic regression on the mean of the untuned base's last hidden states, each of length one.

    The base is loaded anew: the session's own may have learned in every weight.
    """
    import torch
    from sklearn.linear_model import LogisticRegression

    from trainers.lora.base import load_model
    from trainers.lora.classes import padding_of

    base = load_model(where, dtype=session.arithmetic.dtype, attention="sdpa", device=session.device.kind, kind="")
    padding = padding_of(session.encoder.tokenizer)

    def vectors(examples: Sequence[Example]) -> Any:
        texts = [session.encoder.prompt(example.question) for example in examples]
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        found: dict[int, Any] = {}
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            width = max(len(texts[index]) for index in part)
            ids = torch.tensor([texts[i] + [padding] * (width - len(texts[i])) for i in part])
            mask = torch.tensor([[1] * len(texts[i]) + [0] * (width - len(texts[i])) for i in part])
            ids, mask = ids.to(session.loss.device), mask.to(session.loss.device)
            with torch.no_grad():
                states = base(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            found |= dict(zip(part, torch.nn.functional.normalize(mean, dim=1).cpu(), strict=True))
        return torch.stack([found[index] for index in range(len(texts))]).numpy()

    model = LogisticRegression(C=10.0, max_iter=2000)
    model.fit(vectors(train), [example.answer for example in train])
    return [str(answer) for answer in model.predict(vectors(asked))]


def trivial_answers(train: Sequence[Example], asked: Sequence[Example]) -> list[str]:
    """The commonest training answer, for every row."""
    commonest = Counter(example.answer for example in train).most_common(1)[0][0]
    return [commonest] * len(asked)
