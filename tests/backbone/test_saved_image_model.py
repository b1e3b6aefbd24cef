"""Images by a saved image model: read from folders and tables, refused when broken, learnt, held against less, used."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "trainers"), str(TESTS / "backbone")]

from image_cases import bands, saved_model  # noqa: E402  after the path is set
from training_plans import Silent, plan_for, run_folder  # noqa: E402

from advisor.base.datafolder import sha256_of_data  # noqa: E402
from advisor.base.errors import BadInput  # noqa: E402
from advisor.base.imagefolder import images_in  # noqa: E402
from advisor.base.tables import read_table  # noqa: E402
from advisor.evidence.look import look_at  # noqa: E402
from advisor.records.plan import Plan  # noqa: E402
from tests.command import train_or_not  # noqa: E402
from trainers.backbone.base import check_base  # noqa: E402
from trainers.backbone.images import digests_of, find_source, open_images  # noqa: E402
from trainers.common.rows import load_rows  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402


def test_a_folder_of_images_is_a_table_with_its_subfolders_as_classes(tmp_path: Path) -> None:
    folder = bands(tmp_path / "seen", 3)
    (folder / "lying" / "torn.png").write_text("no image")
    table = read_table(folder)
    assert table.frame["class"].tolist() == ["lying"] * 3 + ["standing"] * 3
    assert table.frame["image"].iloc[0] == "lying/0.png"
    assert "torn.png" in table.notes[0]
    before = sha256_of_data(folder)
    (folder / "lying" / "0.png").write_bytes((folder / "lying" / "1.png").read_bytes())
    assert sha256_of_data(folder) != before == images_in(bands(tmp_path / "same", 3)).sha256


def test_images_come_from_names_from_bytes_and_from_pixel_columns(tmp_path: Path) -> None:
    folder = bands(tmp_path / "seen", 2)
    content = base64.b64encode((folder / "lying" / "0.png").read_bytes()).decode()
    frame = pd.DataFrame({"file": ["lying/0.png", "standing/1.png"], "shift": [1, 2]})
    source = find_source(frame)
    assert source.columns == ("file",)
    named = next(open_images(frame, source, folder))
    sent = pd.DataFrame({"file": [f"data:image/png;base64,{content}", content]})
    for image in open_images(sent, source, None):
        assert np.array_equal(np.asarray(image), np.asarray(named))
    assert len(set(digests_of(sent, source, None))) == 1
    assert digests_of(frame, source, folder)[0] == digests_of(sent, source, None)[0]
    pixels = pd.DataFrame(np.arange(128).reshape(2, 64) % 256, columns=[f"p{at}" for at in range(64)])
    square = find_source(pixels)
    assert [image.size for image in open_images(pixels, square, None)] == [(8, 8), (8, 8)]


def test_sixteen_bits_and_turned_photographs_are_read_as_people_see_them(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 6), 32_768, dtype=np.uint16)).save(tmp_path / "deep.png")
    turned = Image.new("RGB", (6, 4))
    about = turned.getexif()
    about[0x0112] = 6  # the camera was held upright
    turned.save(tmp_path / "turned.jpg", exif=about)
    frame = pd.DataFrame({"image": ["deep.png", "turned.jpg"]})
    deep, upright = open_images(frame, find_source(frame), tmp_path)
    assert np.asarray(deep)[0, 0].tolist() == [128, 128, 128]
    assert upright.size == (4, 6)


@pytest.mark.parametrize(
    ("cell", "folder", "says"),
    [
        ("gone.png", True, "no such file"),
        ("text.png", True, "no whole image"),
        ("here.png", False, "not followed"),
        ("pipe.png", True, "a pipe or a device"),
        ("folder.png", True, "a folder"),
        ("?*!", True, "neither a file name nor base64"),
        ("", True, "empty"),
    ],
)
def test_an_image_that_cannot_be_read_is_named_by_its_row(tmp_path: Path, cell: str, folder: bool, says: str) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "here.png")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    source = find_source(pd.DataFrame({"image": ["here.png"]}))
    frame = pd.DataFrame({"image": ["here.png", cell]}) if folder else pd.DataFrame({"image": [cell]})
    with pytest.raises(BadInput, match=f"row {len(frame)} cannot be read") as told:
        list(open_images(frame, source, tmp_path if folder else None))
    assert says in told.value.why
    assert told.value.fix


def test_all_images_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "here.png")
    (tmp_path / "text.png").write_text("no image")
    frame = pd.DataFrame({"image": ["here.png", "text.png", "here.png", "gone.png", "text.png"]})
    source = find_source(frame.head(1))
    with pytest.raises(BadInput, match=r"row 2 cannot be read.* 2 more cannot be read, of rows 4, 5") as told:
        list(open_images(frame, source, tmp_path))
    assert "no whole image" in told.value.why
    # Its bytes are there to be counted, so what is told first is the file that is not; the other stands beside it.
    with pytest.raises(BadInput, match=r"row 4 cannot be read.* 1 more cannot be read, of row 5"):
        digests_of(frame, source, tmp_path)


def test_a_table_without_images_and_one_with_two_of_them_are_refused() -> None:
    with pytest.raises(BadInput, match="No column names image files"):
        find_source(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}))
    with pytest.raises(BadInput, match="2 columns name image files"):
        find_source(pd.DataFrame({"a": ["x.png"], "b": ["y.jpg"]}))


def test_a_table_of_image_names_is_seen_as_images_unless_other_columns_describe_a_row(tmp_path: Path) -> None:
    names = [f"photo{at}.jpg" for at in range(60)]
    frame = pd.DataFrame({"file": names, "kind": ["lying", "standing"] * 30})
    rows = {"bare": frame, "described": frame.assign(price=np.random.default_rng(0).normal(10, 3, 60))}
    seen = {}
    for name, table in rows.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        look = look_at(tmp_path / f"{name}.csv", "kind", only=())
        seen[name] = next(fact.value for fact in look.facts if fact.name == "modality")
    assert seen == {"bare": "image", "described": "tabular"}


def broken_base(folder: Path, what: str) -> Path:
    folder.mkdir()
    config = {"model_type": "vit", "num_channels": 1 if what == "channels" else 3}
    (folder / "config.json").write_text(json.dumps(config)[: 9 if what == "torn" else None])
    (folder / ("pytorch_model.bin" if what == "pickle" else "model.safetensors")).write_bytes(b"00")
    if what != "processor":
        (folder / "preprocessor_config.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("channels", "wrong-channels"),
        ("torn", "no-model"),
        ("pickle", "no-safetensors"),
        ("processor", "no-image-processor"),
    ],
)
def test_a_base_that_cannot_serve_is_told_before_anything_is_loaded(tmp_path: Path, what: str, code: str) -> None:
    broken_base(tmp_path / "base", what)
    with pytest.raises(BadInput) as told:
        check_base("base", tmp_path)
    assert told.value.code == code
    assert told.value.fix


def test_a_base_that_is_not_named_or_not_there_is_told_with_the_command(tmp_path: Path) -> None:
    for name in ("", "nowhere"):
        with pytest.raises(BadInput, match=r"no pretrained image model|no folder") as told:
            check_base(name, tmp_path)
        assert "--setting base=FOLDER" in told.value.fix


def images_plan(data: Path, base: Path, target: str = "class", budget: float = 600.0, method: str = "frozen") -> Plan:
    against = ("trivial", "small_model", "small_network")
    there = replace(plan_for(TESTS / "conftest.py", target, "images", "accuracy", against=against), data=str(data))
    plan = replace(there, data_sha256=sha256_of_data(data), budget_seconds=budget, trainer="backbone")
    return replace(plan, approach="fine_tune", settings=plan_for_base(base, method))


def plan_for_base(base: Path, method: str) -> dict[str, object]:
    return plan_for(TESTS / "conftest.py", "", "", "", settings={"base": str(base), "method": method}).settings  # type: ignore[return-value]


def test_a_folder_of_images_is_no_table_for_the_other_trainers(tmp_path: Path) -> None:
    folder = bands(tmp_path / "seen", 3)
    plan = replace(images_plan(folder, tmp_path), trainer="classical", task="binary")
    with pytest.raises(BadInput, match="folder of images") as told:
        load_rows(plan, tmp_path)
    assert "--setting base=FOLDER" in told.value.fix


@pytest.mark.heavy
@pytest.mark.usefixtures("few_rounds")
@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_a_saved_model_is_trained_on_killed_resumed_and_used(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers.backbone.base import Backbone
    from trainers.use.opened import Allowance, open_run

    case, folder, base = tmp_path / "case", bands(tmp_path / "seen"), saved_model(tmp_path / "base", kind)
    case.mkdir()
    plan, trainer = images_plan(folder, base), find_trainer("backbone")
    whole = trainer.train(plan, case, run_folder(case, "backbone-1"), Silent())
    assert whole.rows["test"] + whole.rows["train"] == 60
    assert [one.against for one in whole.gate.comparisons] == ["trivial", "small_model", "small_network"]
    assert whole.sealed.value > 0.8  # random weights tell lying from standing: the head has learnt
    assert whole.chosen in {candidate.name for candidate in whole.candidates}
    assert {"train_validation_gap", "calibration", "slices", "confusion"} <= whole.diagnostics.keys()
    assert "which part of it counts" in whole.diagnostics["without"]["importance"]

    class Killed(Silent):
        def step(self, done: float, total: float, note: str = "") -> None:
            if "images" in note and done == 32 and self.phases[-1].startswith("Reading the images by"):
                raise KeyboardInterrupt

    monkeypatch.setattr(Backbone, "features", features := Counted(Backbone.features))
    cut = run_folder(case, "backbone-2")
    with pytest.raises(KeyboardInterrupt):
        trainer.train(plan, case, cut, Killed())
    features.seen = 0
    again = trainer.train(plan, case, cut, Silent())
    assert features.seen == 60 - 32
    if again.hyperparameters["threads"] == whole.hyperparameters["threads"]:
        for name in ("linear.npz", "test_predictions.csv"):
            assert (cut / name).read_bytes() == (case / "runs" / "backbone-1" / name).read_bytes()

    shutil.rmtree(base)
    opened = open_run(case / "runs" / "backbone-1", Allowance(files=folder))
    rows = read_table(folder).frame
    kept = pd.read_csv(case / "runs" / "backbone-1" / "test_predictions.csv")
    said = opened.answer(rows.iloc[kept["row"]])
    assert [opened.classes.index(one) for one in said.predictions] == kept["ours"].tolist()
    assert np.array_equal(said.scores, kept[["ours_p0", "ours_p1"]].to_numpy())
    refused = open_run(case / "runs" / "backbone-1")
    with pytest.raises(BadInput, match="cannot be read"):
        refused.answer(rows.head(1))


class Counted:
    """A method, and how often it was called."""

    def __init__(self, method: Callable[..., object]) -> None:
        self.method, self.seen = method, 0

    def __get__(self, owner: object, kind: type | None = None) -> Callable[..., object]:
        def call(*given: object) -> object:
            self.seen += 1
            return self.method(owner, *given)

        return call


@pytest.mark.heavy
@pytest.mark.usefixtures("few_rounds")
def test_weights_that_do_not_fit_and_a_budget_that_is_too_small_are_told(tmp_path: Path) -> None:
    from trainers.backbone.base import open_backbone

    folder, base = bands(tmp_path / "seen"), saved_model(tmp_path / "base")
    with pytest.raises(BadInput, match="budget holds 0 of 48") as told:
        trainer, run = find_trainer("backbone"), run_folder(tmp_path, "backbone-1")
        trainer.train(images_plan(folder, base, budget=0.001), tmp_path, run, Silent())
    assert "--budget-seconds" in told.value.fix
    config = json.loads((base / "config.json").read_text())
    for changed, says in (
        ({"hidden_size": 64}, "another size"),
        ({"num_hidden_layers": 3}, "lack"),
        ({"model_type": "bert"}, "reads no images"),
    ):
        (base / "config.json").write_text(json.dumps(config | changed))
        with pytest.raises(BadInput, match="no image model that can be used") as told:
            open_backbone(base)
        assert says in told.value.what
    (base / "model.safetensors").write_bytes(b"torn")
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadInput, match="no image model that can be used"):
        open_backbone(base)


@pytest.mark.heavy
def test_a_case_of_images_goes_from_look_to_prediction_by_commands(tmp_path: Path) -> None:
    bands(tmp_path / "seen", 40)
    saved_model(tmp_path / "base", "resnet")

    def told(*words: str) -> str:
        done = train_or_not(*words, folder=tmp_path)
        assert done.code in (0, 4), done.err
        return done.out

    told("new", "case", "--quiet")
    told("look", "case", "--data", "seen", "--quiet")
    without = told("plan", "case", "--approach", "fine_tune")
    assert "--setting base=FOLDER" in without.replace("\n", " ")
    told("plan", "case", "--approach", "fine_tune", "--setting", "base=../base", "--quiet")
    record = json.loads(told("train", "case", "--json") or (tmp_path / "case/runs/backbone-1/run.json").read_text())
    assert record
    answered = told("predict", "case/runs/backbone-1", "seen/lying")
    assert answered.splitlines()[0] == "image,class,prediction,score: lying,score: standing"
    assert len(answered.splitlines()) == 41
    told("export", "case/runs/backbone-1", "--to", "exported")
    assert "pillow==" in (tmp_path / "exported" / "requirements.txt").read_text()
