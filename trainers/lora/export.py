"""What a run leaves: the adapter as peft reads it, the merged model if asked for, and an honest card."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from torch import Tensor

from advisor.base.files import to_json, write_atomically
from advisor.base.safetext import for_markdown
from advisor.records.run import RunRecord
from trainers.lora.base import fingerprint, load_model
from trainers.lora.bundle import write_tensors
from trainers.lora.classes import label_options
from trainers.lora.session import Session, adapted_model


def export_adapter(session: Session, weights: dict[str, Tensor], base: str, where: Path | str, into: Path) -> None:
    """`into/adapter_model.safetensors` and `adapter_config.json`; loads with `PeftModel.from_pretrained`.

    The base is named as the plan names it, never by a path of this machine.
    """
    config = session.adapted.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": base, "inference_mode": True, "revision": None}
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    tensors = {_as_peft_names(name): value.contiguous() for name, value in weights.items()}
    write_tensors(into / "adapter_model.safetensors", tensors, {"format": "pt"})
    write_atomically(into / "adapter_config.json", json.dumps(plain, indent=2, default=str) + "\n")
    write_atomically(into / "base.json", to_json({"name": base, "content": fingerprint(where)}))


def _as_peft_names(name: str) -> str:
    """A weight's name in a file of adapters: without the adapter's own name, and without where a head was kept."""
    return name.replace(".modules_to_save.default.", ".").replace(".default.", ".")


def export_model(session: Session, into: Path, base: str, where: Path | str) -> None:
    """The whole model with the adapters added into its weights, with its tokenizer: as fast as the base.

    Kept in the type it is held in, or in bfloat16 where it was held in fewer bits. The session answers no more.
    """
    model = session.adapted
    if isinstance(model, PeftModel):
        if session.recipe.quantization != "none":
            model = _unquantised(session, where)
        model = _merged(model)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".merged-") as scratch:
        model.save_pretrained(scratch)
        session.encoder.tokenizer.save_pretrained(scratch)
        for file in sorted(Path(scratch).iterdir()):
            file.chmod(0o644)
            file.replace(into / file.name)
    config = json.loads((into / "config.json").read_text())
    write_atomically(into / "config.json", to_json({**config, "_name_or_path": base}))


def _unquantised(session: Session, where: Path | str) -> Any:
    """The base as its files hold it, on the processor, under the session's adapters.

    Merged into 4 bits a sum would be rounded to 4 bits again, which can undo what was learned.
    """
    kind, more = "CausalLM", dict[str, Any]()
    if session.labels:
        kind, more = "SequenceClassification", label_options(session.labels, session.encoder.tokenizer)
    model = load_model(where, dtype="bfloat16", attention="sdpa", kind=kind, **more)
    adapters = get_peft_model_state_dict(session.adapted)
    adapted = adapted_model(model, session.recipe)
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    set_peft_model_state_dict(adapted, {name: weight.cpu() for name, weight in adapters.items()})
    return adapted


@torch.no_grad()
def _merged(model: PeftModel) -> Any:
    """The model with its adapters added in: summed in float32, one layer at a time, so that no second model is held."""
    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            base: Any = layer.get_base_layer()
            held = base.weight.dtype
            layer.float()
            layer.merge(safe_merge=True)
            base.to(held)
    return model.unload()


def lora_figures(session: Session, weights: dict[str, Tensor]) -> dict[str, float]:
    """Figures of this run for the claims of LoRA's paper: trained share, and the sizes of what is kept."""
    whole = sum(weight.numel() for weight in session.model.parameters())
    trained = sum(weight.numel() for weight in weights.values())
    base = whole - (trained if session.recipe.learning == "lora" else 0)
    return {
        "trained_weights": trained,
        "base_weights": base,
        "fewer_times": round(base / trained, 1),
        "trained_percent": round(100 * trained / base, 3),
        "adapter_mb": round(trained * 4 / 2**20, 2),
        "base_mb_bfloat16": round(base * 2 / 2**20, 1),
    }


def write_card(run: Path, record: RunRecord) -> None:
    """`MODEL_CARD.md`: what it is for, how good it is beside the cheaper rung, on what it was made, what is owed."""
    write_atomically(run / "MODEL_CARD.md", card(record))


def card(record: RunRecord) -> str:
    """The model card's text."""
    shown: dict[str, Any] = record.diagnostics
    settings = record.hyperparameters
    lines = [
        f"# {for_markdown(record.run)}: {for_markdown(settings.get('base', ''))}, fine-tuned",
        "",
        f"**{record.gate.text}**",
        "",
        "| | on the sealed rows | interval |",
        "|---|---|---|",
    ]
    scores = [("tuned", record.sealed)] + [(c.against, c.theirs) for c in record.gate.comparisons]
    lines += [
        f"| {name} | {score.metric} {score.value:.3f} (n={score.rows}) | {score.low:.3f} to {score.high:.3f} |"
        for name, score in scores
    ]
    lines += ["", "## Before and after", ""]
    for sample in shown.get("samples", []):
        lines += [
            f"- asked: {for_markdown(sample['asked'], 300)}",
            f"  - wanted: {for_markdown(sample['wanted'], 300)}",
            f"  - before: {for_markdown(sample['before'], 300)}",
            f"  - after: {for_markdown(sample['after'], 300)}",
        ]
    lora = shown.get("lora", {})
    forecast, actual = shown.get("forecast", {}), shown.get("actual", {})
    lines += [
        "",
        "## How it was made",
        "",
        f"- base: {for_markdown(settings.get('base', ''))}, {for_markdown(settings.get('base_content', ''))}",
        f"- rows: {', '.join(f'{count:,} {part}' for part, count in record.rows.items())}",
        f"- trained: {lora.get('trained_weights', 0):,} weights beside {lora.get('base_weights', 0):,}",
        f"- foretold: {forecast.get('seconds', 0):,.0f} s, {forecast.get('peak_memory_mb', 0):,.0f} MB",
        f"- took: {actual.get('seconds', 0):,.0f} s, {actual.get('peak_memory_mb', 0):,.0f} MB",
        f"- settings: {for_markdown(json.dumps(settings, ensure_ascii=False, default=str), 4000)}",
        f"- versions: {for_markdown(json.dumps(record.versions))}",
        "",
        "## Mind",
        "",
        "- It answers like its examples; what they do not cover it makes up.",
        "- The base model's licence and limits stay in force.",
        *[f"- {for_markdown(note, 600)}" for note in record.notes],
        "",
    ]
    return "\n".join(lines)
