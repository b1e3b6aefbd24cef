"""A GGUF file as a folder of safetensors, configuration and tokenizer, as transformers reads any model."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

from advisor.base.errors import EnvironmentMissing
from advisor.base.files import to_json, write_atomically


def convert_gguf(gguf: Path, into: Path, name: str, origin: str) -> None:
    """Write `gguf`, de-quantised to bfloat16, into the empty folder `into`. Peak memory about 1.2 GB for 135M.

    bfloat16 halves the folder; its rounding (2⁻⁹ relative) is far below the step of the 4-bit weights it came from.
    """
    try:
        import gguf as _reader  # noqa: F401  transformers needs it and says so only deep inside
        import torch
        from safetensors.torch import save_file
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GgufConfig
        from transformers.utils import logging
    except ImportError as error:
        raise EnvironmentMissing(
            f"Converting a model needs the package {error.name!r}.",
            fix='pip install "train-or-not[lora]"',
            code="extra-missing",
        ) from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with contextlib.redirect_stderr(io.StringIO()):  # its own progress bar knows nothing of --quiet
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
        )
    # Saved tensor by tensor: transformers refuses to save a model it once read from a quantised file.
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    tensors = {
        key: value.to(torch.bfloat16).contiguous() for key, value in model.state_dict().items() if key not in tied
    }
    save_file(tensors, into / "model.safetensors", metadata={"format": "pt"})
    (into / "model.safetensors").chmod(0o644)
    config = AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name)
    config.dtype = torch.bfloat16
    config.architectures = [type(model).__name__]  # a GGUF names none, and `transformers serve` goes by it
    config.save_pretrained(into)
    # The GGUF carries a working title of its authors; a model card must not show it.
    about = json.loads((into / "config.json").read_text())
    write_atomically(into / "config.json", to_json({**about, "_model_name_or_path": name}))
    tokenizer.save_pretrained(into)
    (into / "ORIGIN.txt").write_text(
        f"{origin}\nConverted from {gguf.name.lstrip('.')}, weights de-quantised to bfloat16.\n"
    )
