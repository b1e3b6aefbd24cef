"""A model of the Llama family as one GGUF file, which llama.cpp and what is built on it (Ollama, LM Studio) run.

Weights of matrices in eight bits (Q8_0: blocks of 32 with a scale of their own), vectors as they are. Names and the
order of the rows of queries and keys are those of llama.cpp's converter; read back by transformers' own reader.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.errors import BadInput

# How a tokenizer cuts text before its merges, by what only that tokenizer says (`tokenizer.ggml.pre`).
_CUTTING = {"Digits,ByteLevel": "smollm", "ByteLevel": "gpt-2"}
_HEADS = ("q_proj", "k_proj")


def write_gguf(folder: Path, file: Path, name: str) -> None:
    """Write the model in `folder` (safetensors, configuration, fast tokenizer) as `file`.

    Raises `BadInput` for a model of another family or a tokenizer whose cutting llama.cpp has no name for here.
    """
    import gguf
    from safetensors import safe_open

    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "llama":
        raise BadInput(
            f"A model of the family {config.get('model_type')!r} cannot be written as GGUF here; Llama's can.",
            fix="Use llama.cpp's convert_hf_to_gguf.py on the merged model.",
            code="no-gguf",
        )
    writer = gguf.GGUFWriter(file, "llama")
    _describe(writer, config, name, gguf)
    _tokenizer(writer, folder, config, gguf)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for part in sorted(folder.glob("*.safetensors")):
        with safe_open(part, framework="pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118  # it is no mapping
                values = tensors.get_tensor(key).float().numpy()
                heads = config["num_attention_heads"]
                if any(one in key for one in _HEADS):
                    values = _by_halves(values, heads if "q_proj" in key else config["num_key_value_heads"])
                told = names.get_name(key, try_suffixes=(".weight", ".bias"))
                if told is None:
                    raise BadInput(
                        f"GGUF has no place for the weights {key!r}: a head over classes, for example.",
                        fix="Serve the run itself, or the merged model.",
                        code="no-gguf",
                    )
                if values.ndim == 2 and values.shape[1] % 32 == 0:
                    kind = gguf.GGMLQuantizationType.Q8_0
                    writer.add_tensor(told, gguf.quants.quantize(values, kind), raw_dtype=kind)
                else:
                    writer.add_tensor(told, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _by_halves(weights: Any, heads: int) -> Any:
    """Rows of each head in the order of llama.cpp's rotation: pairs side by side instead of half by half."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def _describe(writer: Any, config: dict[str, Any], name: str, gguf: Any) -> None:
    heads = config["num_attention_heads"]
    writer.add_name(name)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads)
    rope = config.get("rope_parameters") or {}
    writer.add_rope_freq_base(float(config.get("rope_theta") or rope.get("rope_theta", 10_000.0)))
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _tokenizer(writer: Any, folder: Path, config: dict[str, Any], gguf: Any) -> None:
    told = json.loads((folder / "tokenizer.json").read_text())
    model, about = told["model"], json.loads((folder / "tokenizer_config.json").read_text())
    cut = told.get("pre_tokenizer") or {}
    cuts = [one["type"] for one in cut.get("pretokenizers", [cut])]
    pre = _CUTTING.get(",".join(cuts))
    if model.get("type") != "BPE" or pre is None:
        raise BadInput(
            "The tokenizer's way to cut text is not one that can be named in a GGUF file here.",
            fix="Use llama.cpp's convert_hf_to_gguf.py on the merged model.",
            code="no-gguf",
        )
    added = {one["content"]: one for one in told.get("added_tokens", [])}
    by_id = {number: text for text, number in model["vocab"].items()} | {one["id"]: text for text, one in added.items()}
    tokens = [by_id.get(number, f"[PAD{number}]") for number in range(config["vocab_size"])]
    kinds = [
        gguf.TokenType.UNUSED if number not in by_id
        else gguf.TokenType.CONTROL if text in added and added[text].get("special")
        else gguf.TokenType.USER_DEFINED if text in added
        else gguf.TokenType.NORMAL
        for number, text in enumerate(tokens)
    ]  # fmt: skip
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in model["merges"]])
    numbers = {text: number for number, text in by_id.items()}
    adders = {"bos": writer.add_bos_token_id, "eos": writer.add_eos_token_id, "pad": writer.add_pad_token_id}
    for which, add in adders.items():
        text = about.get(f"{which}_token")
        text = text.get("content") if isinstance(text, dict) else text
        if text in numbers:
            add(numbers[text])
    template = folder / "chat_template.jinja"
    if template.is_file() or about.get("chat_template"):
        writer.add_chat_template(template.read_text() if template.is_file() else about["chat_template"])
