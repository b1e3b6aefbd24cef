"""The whole examination: every check once, grouped by what it blocks, and one sentence at the end."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.base.case import today
from advisor.base.errors import Problem
from advisor.base.files import read_text
from advisor.base.machine import Machine, look_at_machine
from advisor.base.shipped import rules_folder
from advisor.doctor.doors import door_findings
from advisor.doctor.findings import Finding, Status
from advisor.doctor.kept import cache_findings, retirement_findings
from advisor.doctor.packages import package_findings, pip, python_finding


@dataclass(frozen=True)
class Examination:
    """What was found. `blocking` are the findings that stop the main job."""

    findings: tuple[Finding, ...]
    groups: Mapping[str, str]
    blocking: tuple[Finding, ...]
    machine: Machine

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        if self.blocking:
            count = len(self.blocking)
            return f"Not ready: {count} fault{'s' * (count > 1)} stop{'s' * (count == 1)} the main job."
        warnings = sum(finding.status in ("warn", "fail") for finding in self.findings)
        if warnings:
            return (
                f"The main job will run; {warnings} thing{'s' * (warnings > 1)} deserve{'s' * (warnings == 1)} a look."
            )
        return "Your machine is ready: everything the main job needs is here."


def doctor_rules() -> dict[str, Any]:
    """rules/doctor.yaml as plain data."""
    from advisor.base.strictyaml import parse

    content: dict[str, Any] = parse(read_text(rules_folder() / "doctor.yaml"), "doctor.yaml").data
    return content


def examine(
    folder: Path, *, online: bool = False, caches: Mapping[str, bool] | None = None, cache_folder: Path | None = None
) -> Examination:
    """Everything that can be checked without loading a heavy package, and without the network unless `online`.

    `caches` says of each model kept in the cache whether it is there; the caller knows them.
    """
    rules = doctor_rules()
    limits = rules["limits"]
    machine = look_at_machine(folder)
    findings = (
        python_finding(limits["python"]),
        *package_findings(rules["extras"]),
        _loads("rulebook", _rulebook),
        _loads("prices", lambda: _prices(limits["price_days"])),
        *_room(machine, folder, limits),
        *door_findings(online=online, seconds=limits["online_seconds"]),
        *_caches(caches or {}),
        *cache_findings(cache_folder, limits["cache_mb"]),
        *retirement_findings(folder, limits["retires_days"]),
        *_muscle(machine, rules["fast_features"]),
    )
    blocking = tuple(f for f in findings if f.status == "fail" and rules["groups"][f.group]["blocks"])
    return Examination(findings, {name: group["title"] for name, group in rules["groups"].items()}, blocking, machine)


def _loads(name: str, check: Callable[[], Finding]) -> Finding:
    """A file of the tool that cannot be read is a finding, not the end of the examination."""
    try:
        return check()
    except Problem as problem:
        where = f" ({problem.where})" if problem.where else ""
        return Finding(
            name, "main", "fail", f"{problem.what}{where}", problem.fix or pip("--force-reinstall train-or-not")
        )


def _rulebook() -> Finding:
    from advisor.reasoning.rulebook import load_rulebook

    rulebook = load_rulebook()
    return Finding("rulebook", "main", "ok", f"Rulebook {rulebook.version}: {len(rulebook.facts)} facts")


def _prices(oldest_days: int) -> Finding:
    from advisor.reasoning.prices import load_prices

    newest = max(model.as_of for model in load_prices().on("").models)
    days = (datetime.date.fromisoformat(today()) - datetime.date.fromisoformat(newest)).days
    if days > oldest_days:
        return Finding(
            "prices",
            "main",
            "warn",
            f"The newest model prices are of {newest}, {days} days ago.",
            "Put current ones into costs.yaml in your case, or update: " + pip("--upgrade train-or-not"),
        )
    return Finding("prices", "main", "ok", f"Prices of {newest}")


def _room(machine: Machine, folder: Path, limits: Mapping[str, float]) -> Iterator[Finding]:
    memory, disk = machine.memory_free_mb, machine.disk_free_mb
    if memory is None:
        yield Finding(
            "memory", "main", "warn", "How much memory is free cannot be read here.", "Watch it while training."
        )
    else:
        text = f"{memory:,.0f} MB of memory free" + (f" of {machine.memory_mb:,.0f}" if machine.memory_mb else "")
        little = memory < limits["memory_free_mb"]
        yield Finding("memory", "main", "warn" if little else "ok", text, "Close other programs." if little else "")
    if disk is None:
        yield Finding("disk", "main", "warn", "How much disk is free cannot be read here.", "df -h .")
    else:
        status: Status = "ok"
        if disk < limits["disk_free_mb"]:
            status = "fail" if disk < limits["disk_least_mb"] else "warn"
        yield Finding("disk", "main", status, f"{disk:,.0f} MB of disk free", "" if status == "ok" else "df -h .")
    if not os.access(folder, os.W_OK):
        yield Finding(
            "folder", "main", "fail", "Nothing can be written in this folder.", f"chmod u+w {folder}, or cd elsewhere"
        )


def _caches(caches: Mapping[str, bool]) -> Iterator[Finding]:
    for name, present in caches.items():
        text = f"{name}: in the cache" if present else f"{name}: not fetched yet; the first use fetches it once"
        yield Finding(
            name, "models", "ok" if present else "off", text, "" if present else "train-or-not doctor --fetch"
        )


def _muscle(machine: Machine, fast: Mapping[str, str]) -> Iterator[Finding]:
    have = [words for flag, words in fast.items() if flag in machine.features]
    features = ", ".join(have[:2]) or "no fast 16-bit arithmetic that the system reports"
    processors = f"{machine.processors} processor{'s' * (machine.processors > 1)}"
    yield Finding("processor", "fine_tune", "ok", f"{machine.processor}, {processors}: {features}")
    for card in machine.cards:
        memory = f"{card.memory_mb / 1024:,.0f} GB" if card.memory_mb else "memory not reported"
        yield Finding("graphics card", "fine_tune", "ok", f"{card.name}, {memory}, driver {card.driver}")
    if not machine.cards:
        text = "No NVIDIA card, or no driver that answers: training runs on the processor."
        yield Finding(
            "graphics card", "fine_tune", "off", text, "nvidia-smi   (if there is a card, install its driver)"
        )
