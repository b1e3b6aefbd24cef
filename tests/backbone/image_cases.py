"""Small images whose class is plain to see, and a saved image model of random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def bands(folder: Path, each: int = 30, seed: int = 0) -> Path:
    """Two classes of noisy images: light bands that lie, and light bands that stand, at a random place."""
    draw = np.random.default_rng(seed)
    for kind in ("lying", "standing"):
        (folder / kind).mkdir(parents=True)
        for at in range(each):
            pixels = draw.integers(0, 90, (32, 40, 3))
            start = int(draw.integers(2, 24))
            part = np.s_[start : start + 6, :] if kind == "lying" else np.s_[:, start : start + 6]
            pixels[part] += 150
            Image.fromarray(pixels.astype(np.uint8)).save(folder / kind / f"{at}.png")
    return folder


def slopes(folder: Path, each: int = 60, seed: int = 0) -> Path:
    """Two classes that only fine detail tells apart: narrow stripes that rise or fall, at a random place, in noise."""
    draw = np.random.default_rng(seed)
    down, across = np.mgrid[:32, :32]
    for kind, way in (("falling", 1), ("rising", -1)):
        (folder / kind).mkdir(parents=True)
        for at in range(each):
            narrow, start = draw.uniform(5, 7), draw.uniform(0, 2 * np.pi)
            light = 128 + 50 * np.sin(2 * np.pi * (across + way * down) / narrow + start)
            pixels = np.clip(light[..., None] + draw.normal(0, 40, (32, 32, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / kind / f"{at}.png")
    return folder


def saved_model(folder: Path, kind: str = "vit") -> Path:
    """A tiny ViT or ResNet with a classifier of its own, and its image processor, as `save_pretrained` writes them."""
    import torch
    import transformers as t

    torch.manual_seed(0)
    vit = t.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32, patch_size=8
    )
    resnet = t.ResNetConfig(embedding_size=8, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic")
    model = t.ViTForImageClassification(vit) if kind == "vit" else t.ResNetForImageClassification(resnet)
    model.save_pretrained(folder)
    t.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
