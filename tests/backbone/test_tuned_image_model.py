"""Tuning a saved image model: where it gains it is taken, else the frozen body stays; resumed, refused, told, used."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "trainers"), str(TESTS / "backbone")]

from image_cases import bands, saved_model, slopes  # noqa: E402  after the path is set
from test_saved_image_model import images_plan  # noqa: E402
from training_plans import Silent, run_folder, untold  # noqa: E402

from advisor.base.errors import BadInput  # noqa: E402
from advisor.base.tables import read_table  # noqa: E402
from advisor.records.plan import Setting  # noqa: E402
from advisor.report.run_charts import loss_curve  # noqa: E402
from trainers.backbone.method import FROZEN, NAMES, TUNED, Way, fit_way, nothing_to_gain, simplest  # noqa: E402
from trainers.common.metrics import metric_by_name  # noqa: E402
from trainers.common.policy import policy  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402


def test_shares_of_the_budget_leave_some_of_it_for_the_rest() -> None:
    shares = policy("backbone")["budget"]
    assert shares["small"] + shares["network"] + shares["read"] + shares["tune"] <= 0.95


@pytest.mark.parametrize("said", ["tune", 1, None])
def test_an_unknown_method_is_refused_when_planned_and_when_trained(tmp_path: Path, said: object) -> None:
    plan = images_plan(bands(tmp_path / "seen", 3), saved_model(tmp_path / "base"))
    plan = replace(plan, settings={**plan.settings, "method": Setting(said)})
    trainer, run = find_trainer("backbone"), run_folder(tmp_path, "backbone-1")
    for asked in (
        lambda: trainer.settings(plan, tmp_path),
        lambda: trainer.train(plan, tmp_path, run, Silent()),
    ):
        with pytest.raises(BadInput, match="auto compares both") as told:
            asked()
        assert "method" in told.value.where
        assert "--setting method=auto" in told.value.fix


def test_a_plan_says_its_method_with_the_reason_and_counts_tuning_where_it_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy("backbone")["estimate"], "operations", 1e6)  # a model worth the name
    data, base = slopes(tmp_path / "seen", 40), saved_model(tmp_path / "base")
    trainer = find_trainer("backbone")
    plain = images_plan(data, base)
    # What the rulebook tells people of tuning language models is no choice of the user's.
    advised = Setting("LoRA on an open model", "for people", "a paper")
    settings = trainer.settings(replace(plain, settings={**plain.settings, "method": advised}), tmp_path)
    assert settings["method"].value == "auto"
    assert "one standard error" in settings["method"].reason
    plans = {name: images_plan(data, base, method=name) for name in ("frozen", "tuned", "auto")}
    assert len({trainer.settings(plan, tmp_path)["method"].reason for plan in plans.values()}) == 3
    told = {name: trainer.estimate(plan, tmp_path) for name, plan in plans.items()}
    assert told["tuned"].seconds > told["frozen"].seconds
    assert told["tuned"].peak_memory_mb > told["frozen"].peak_memory_mb
    assert "12 passes of tuning" in told["auto"].formula
    short = trainer.estimate(replace(plans["auto"], budget_seconds=1e-6), tmp_path)
    assert "no pass of tuning is likely to fit" in short.formula


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_a_merged_body_says_what_it_said_with_adapters_apart_also_when_it_is_opened_again(
    tmp_path: Path, kind: str
) -> None:
    import torch
    from PIL import Image

    from trainers.backbone.adapters import merge, save_weights, with_adapters
    from trainers.backbone.base import PROCESSOR, open_backbone

    place = saved_model(tmp_path / "base", kind)
    backbone, image = open_backbone(place), Image.open(bands(tmp_path / "seen", 1) / "lying" / "0.png")
    untuned = backbone.features(image)
    adapted = with_adapters(backbone, 0)
    learns = {name for name, weight in adapted.named_parameters() if weight.requires_grad}
    assert learns
    assert all("lora_" in name for name in learns)
    assert not any(module.training for module in adapted.modules())  # norms stay as they are
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if name in learns:
                weight += 0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        apart = backbone.summary(adapted(pixel_values=backbone.pixels(image)))[0].double().numpy()
    merge(adapted)
    merged = backbone.features(image)
    assert np.abs(merged - untuned).max() > 0.01
    assert np.abs(merged - apart).max() < 1e-5
    (tmp_path / "run" / "base").mkdir(parents=True)
    for name in ("config.json", PROCESSOR):
        shutil.copyfile(place / name, tmp_path / "run" / "base" / name)
    save_weights(backbone, tmp_path / "run" / "base")
    opened = open_backbone(tmp_path / "run" / "base")
    assert opened.pooled == backbone.pooled  # random numbers for a summary are not saved as if they were learnt
    assert np.array_equal(opened.features(image), merged)


def some_way(method: str, features: np.ndarray, truth: np.ndarray, held: np.ndarray) -> Way:
    return fit_way(method, features, truth, held, 2, metric_by_name("accuracy", "multiclass"), 0)


def test_the_frozen_body_stays_unless_tuning_gains_more_than_one_standard_error() -> None:
    draw, metric = np.random.default_rng(0), metric_by_name("accuracy", "multiclass")
    truth, held = draw.integers(0, 2, 200), np.arange(200) < 50
    noise, told = draw.normal(size=(200, 3)), truth[:, None] + draw.normal(0, 0.2, (200, 3))
    weak, strong, level = (some_way(TUNED, seen, truth, held) for seen in (noise, told, noise + 1e-3))
    taken, why = simplest(replace(weak, method=FROZEN), strong, truth[held], metric, 0)
    assert taken is strong
    assert "more than one standard error" in why
    taken, why = simplest(replace(weak, method=FROZEN), level, truth[held], metric, 0)
    assert taken.method == FROZEN
    assert "simpler" in why
    assert nothing_to_gain(some_way(FROZEN, truth[:, None] + np.zeros((200, 3)), truth, held), truth[held], metric)
    assert not nothing_to_gain(weak, truth[held], metric)


@pytest.mark.heavy
@pytest.mark.usefixtures("few_rounds")
def test_a_weak_frozen_body_is_tuned_told_of_and_used(tmp_path: Path) -> None:
    from trainers.use.opened import Allowance, open_run

    data, base = slopes(tmp_path / "seen"), saved_model(tmp_path / "base")
    run = run_folder(tmp_path, "backbone-1")
    plan = images_plan(data, base, method="auto", budget=1e5)
    record = find_trainer("backbone").train(plan, tmp_path, run, Silent())
    assert record.chosen == NAMES[TUNED]
    development = {one.name: one.development.value for one in record.candidates if one.development}
    assert development[NAMES[TUNED]] > development[NAMES[FROZEN]] + 0.2
    assert record.sealed.value > 0.8
    assert "more than one standard error" in str(record.diagnostics["choice"])
    assert record.hyperparameters["method"] == TUNED
    assert "working assumption" in str(record.hyperparameters["learning_rate_source"])
    assert 0 < record.diagnostics["tuning"]["trainable_share"] < 0.5  # type: ignore[index]
    assert record.hyperparameters["passes"] == len(record.diagnostics["curve"])  # type: ignore[arg-type]
    (chart,) = loss_curve(record)
    assert chart.across == "pass"
    assert untold(record) <= {"slices"}  # where no sealed row is wrong, no class stands out
    assert "look too good" in record.diagnostics["without"]["learning_curve"]  # type: ignore[index]
    assert "peft" in record.versions

    shutil.rmtree(base)
    opened = open_run(run, Allowance(files=data))
    kept = pd.read_csv(run / "test_predictions.csv")
    said = opened.answer(read_table(data).frame.iloc[kept["row"]])
    assert [opened.classes.index(one) for one in said.predictions] == kept["ours"].tolist()
    assert said.scores is not None
    assert np.array_equal(said.scores, kept[["ours_p0", "ours_p1"]].to_numpy())
    assert not (run / "work").exists()


class Killed(Silent):
    """Progress that ends the run in the pass, or piece of images, that `where` names by phase and note."""

    def __init__(self, where: Callable[[str, str, float], bool]) -> None:
        super().__init__()
        self.where = where

    def step(self, done: float, total: float, note: str = "") -> None:
        if self.where(self.phases[-1], note, done):
            raise KeyboardInterrupt


@pytest.mark.heavy
@pytest.mark.usefixtures("few_rounds")
@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_a_run_killed_in_a_pass_and_while_reading_anew_ends_as_one_that_was_not(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How many threads are quickest is timed anew in each run, and the last bits follow from them.
    monkeypatch.setattr("trainers.backbone.reading.processors", lambda: 1)
    data, base = slopes(tmp_path / "seen", 30), saved_model(tmp_path / "base", kind)
    # How many passes are planned follows from the time there is: here there is always enough for all.
    plan, trainer = images_plan(data, base, method="tuned", budget=1e5), find_trainer("backbone")
    whole = trainer.train(plan, tmp_path, run_folder(tmp_path, "backbone-1"), Silent())
    assert whole.chosen == NAMES[TUNED]
    cut = run_folder(tmp_path, "backbone-2")
    for where in (
        lambda phase, note, done: note.startswith("pass 3"),
        lambda phase, note, done: phase.endswith("the tuned model") and done > 16,
    ):
        with pytest.raises(KeyboardInterrupt):
            trainer.train(plan, tmp_path, cut, Killed(where))

    def passed(phase: str, note: str, done: float) -> bool:
        return note.startswith("pass ")

    again = trainer.train(plan, tmp_path, cut, Killed(passed))  # nothing is learnt a second time
    assert again.hyperparameters["threads"] == whole.hyperparameters["threads"]
    for name in ("linear.npz", "test_predictions.csv", "base/model.safetensors"):
        assert (cut / name).read_bytes() == (tmp_path / "runs" / "backbone-1" / name).read_bytes()
    losses = [[one["train_loss"] for one in run.diagnostics["curve"]] for run in (whole, again)]  # type: ignore[attr-defined]
    assert losses[0] == losses[1]


@pytest.mark.heavy
@pytest.mark.usefixtures("few_rounds")
def test_without_time_for_one_pass_auto_leaves_tuning_out_and_tuned_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, base = bands(tmp_path / "seen"), saved_model(tmp_path / "base")
    trainer = find_trainer("backbone")
    monkeypatch.setitem(policy("backbone")["budget"], "tune", 1e-5)
    record = trainer.train(
        images_plan(data, base, method="auto"), tmp_path, run_folder(tmp_path, "backbone-1"), Silent()
    )
    assert record.chosen == NAMES[FROZEN]
    assert NAMES[TUNED] not in {one.name for one in record.candidates}
    (note,) = [note for note in record.notes if "was not tuned" in note]
    assert "one pass over 38 training images takes about" in note
    needed = int(note.rpartition(" ")[2])
    assert needed > 600
    with pytest.raises(BadInput, match="one pass over 38 training images") as told:
        trainer.train(images_plan(data, base, method="tuned"), tmp_path, run_folder(tmp_path, "backbone-2"), Silent())
    assert "method=auto" in told.value.fix
    enough = images_plan(data, base, method="tuned", budget=3.0 * needed)
    short = trainer.train(enough, tmp_path, run_folder(tmp_path, "backbone-3"), Silent())
    assert short.chosen == NAMES[TUNED]
