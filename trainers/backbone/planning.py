"""What a plan with a pretrained image model says before anything starts: settings with reasons, and what it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from advisor.base.tables import read_table
from advisor.records.plan import Estimate, Plan, Setting
from trainers.backbone.base import check_base, side_of, size_of
from trainers.backbone.method import AUTO, FROZEN, TUNED, method_of
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.lora.planning import product_speed


def base_of(plan: Plan) -> str:
    """The folder that the plan names as base; empty where it names none."""
    setting = plan.settings.get("base")
    return str(setting.value) if setting else ""


def settings_of(plan: Plan, folder: Path) -> dict[str, Setting]:
    """Base and method, each with its reason."""
    asked = plan.settings.get("base", Setting("", "A folder of yours with a saved image model; no hub is reached."))
    place = check_base(str(asked.value), folder)
    # A method with a source is not the user's: it tells people how to tune a language model, and means nothing here.
    wanted = plan.settings.get("method")
    if wanted is None or wanted.source:
        wanted = Setting(AUTO)
    name = method_of(replace(plan, settings={"method": wanted}))
    method = replace(wanted, reason=f"{wanted.reason} {policy('backbone')['methods'][name]}".strip())
    tells = f"{size_of(place) / 1e6:,.0f} MB of weights; a copy is read or tuned, and no hub is reached."
    return {"base": replace(asked, reason=asked.reason or tells), "method": method}


def estimate(plan: Plan, folder: Path) -> Estimate:
    """From the number of images, the size of the model and of what it reads, and the speed of this machine."""
    place, rows = check_base(base_of(plan), folder), len(read_table(data_path(plan, folder)).frame)
    rules, size, method = policy("backbone"), size_of(place) / 1e6, method_of(plan)
    by, shares, tune = rules["estimate"], rules["budget"], rules["tune"]
    area, budget = (side_of(place) / 224) ** 2, plan.budget_seconds
    speed = product_speed() * by["share_of_products"]
    each = size / 4 * by["operations"] * area / 1e3 / speed
    read, a_pass = rows * each, rows * each * by["tune"]["readings"]
    memory, disk = by["memory_mb"], by["disk_mb"]
    seconds = by["least_seconds"] + rows / by["images_a_second"] + budget * (shares["small"] + shares["network"]) + read
    peak = memory["least"] + memory["times_the_base"] * size + rows / 1e3 * memory["a_thousand_rows"]
    tuned = {FROZEN: "the saved model stays as it is", AUTO: "no pass of tuning is likely to fit"}.get(method, "")
    if method == TUNED or (method == AUTO and read / shares["read"] <= budget >= (read + a_pass) / shares["tune"]):
        seconds += min(read + tune["passes"] * a_pass, shares["tune"] * budget)
        of_image = by["tune"]["image_mb"]
        peak += tune["at_once"] * area * (of_image["least"] + of_image["times_the_base"] * size)
        peak += min(tune["keep_mb"], rows * area * 224**2 * 3 * 4 / 1e6)
        tuned = f"up to {tune['passes']} passes of tuning, about {a_pass:.2g} s each"
    return Estimate(
        round(min(seconds, budget), 1),
        round(peak, 1),
        round(size + disk["least"] + rows * disk["an_image"], 1),
        formula=f"{rows:,} images, each about {each:.2g} s for a model of {size:,.0f} MB at {speed:,.0f} GFLOP/s; "
        f"{tuned}; what stands beside it has its share of the budget of {budget:g} s.",
        error_band=by["told"],
    )
