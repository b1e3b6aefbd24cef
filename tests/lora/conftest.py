"""A real, tiny language model with random weights: every path of the trainer in seconds, nothing fetched."""

from __future__ import annotations

import json
import os
import string
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEAMS = ("cards", "cash", "account", "payments")


class Quiet:
    """Progress that remembers its phases."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.steps: list[tuple[float, float, str]] = []

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def step(self, done: float, total: float, note: str = "") -> None:
        self.steps.append((done, total, note))


@pytest.fixture
def quiet() -> Quiet:
    return Quiet()


def write_tiny_model(folder: Path, *, seed: int = 0, vocabulary_text: str = "") -> Path:
    """A Llama of 2 layers, and a byte-pair tokenizer whose padding token is the very token that ends an answer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    text = vocabulary_text or "the card payment cash account system user assistant team urgent is not true false " * 3
    raw.train_from_iterator(
        [text],
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|im_end|>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            eos_token_id=2,
            pad_token_id=2,
            bos_token_id=0,
            tie_word_embeddings=True,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_tiny_encoder(folder: Path, *, seed: int = 0) -> Path:
    """A BERT of 2 layers with words as tokens, as small encoders are saved: the body alone."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    # Written down, not trained: WordPieceTrainer breaks ties by chance, so each process would get another vocabulary,
    # and so another model that learns more or less in the same steps.
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*TEAMS, "my", "number", "is", "not", "right", *string.digits, *string.ascii_lowercase]
    ends = [f"##{letter}" for letter in string.digits + string.ascii_lowercase]
    vocabulary = {piece: place for place, piece in enumerate([*special, *pieces, *ends])}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(seed)
    model = BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.2,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny encoder."""
    return write_tiny_encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def ticket_rows(count: int) -> list[dict[str, str]]:
    """Tickets whose team a small model can learn from one word."""
    rows = []
    for number in range(count):
        team = TEAMS[number % len(TEAMS)]
        rows.append({"ticket": f"my {team} number {number} is not right", "answer": json.dumps({"team": team})})
    return rows


@pytest.fixture
def tickets() -> Callable[[int], list[dict[str, str]]]:
    return ticket_rows
