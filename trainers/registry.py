"""Which trainer answers to which name. A new backend is one folder and one line here."""

from __future__ import annotations

import importlib
from typing import cast

from advisor.base.errors import BadInput, did_you_mean
from trainers.contract import Trainer

TRAINERS = {
    "backbone": "trainers.backbone.trainer:BackboneTrainer",
    "classical": "trainers.classical.trainer:ClassicalTrainer",
    "forecast": "trainers.forecast.trainer:ForecastTrainer",
    "hosted": "trainers.hosted.trainer:HostedTrainer",
    "labelling": "trainers.labelling.trainer:LabellingTrainer",
    "logged": "trainers.logged.trainer:LoggedTrainer",
    "lora": "trainers.lora.trainer:LoraTrainer",
    "scratch": "trainers.scratch.trainer:ScratchTrainer",
    "unsupervised": "trainers.unsupervised.trainer:UnsupervisedTrainer",
}


def find_trainer(name: str) -> Trainer:
    """The trainer of that name, imported only now. Raises `BadInput` for an unknown one."""
    if name not in TRAINERS:
        raise BadInput(
            f"There is no trainer {name!r}.",
            fix=did_you_mean(name, TRAINERS) or f"Known: {', '.join(TRAINERS)}.",
            code="no-trainer",
        )
    module, attribute = TRAINERS[name].split(":")
    return cast(Trainer, getattr(importlib.import_module(module), attribute)())
