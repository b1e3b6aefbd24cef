"""Which packages are here in the versions we need, by the package metadata alone: nothing is imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from advisor.doctor.findings import Finding

DISTRIBUTION = "train-or-not"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*["']([A-Za-z0-9._-]+)["']""")
_BOUND = re.compile(r"\s*(===|==|!=|>=|<=|~=|>|<)\s*([0-9][^\s]*)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the package's needs; `extra` is empty for what is always needed."""

    name: str
    bounds: str
    extra: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.bounds}"


def python_finding(least: str) -> Finding:
    """Whether this Python is new enough."""
    here = ".".join(map(str, sys.version_info[:3]))
    if _release(here) >= _release(least):
        return Finding("python", "main", "ok", f"Python {here}")
    return Finding("python", "main", "fail", f"Python {here}; {least} or later is needed.", f"Install Python {least}.")


def package_findings(extras: Mapping[str, Mapping[str, str]], distribution: str = DISTRIBUTION) -> Iterator[Finding]:
    """One finding for all needed packages that fit, one for each that does not, and one for each extra."""
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "packages", "main", "warn", "Not installed as a package, so its needs cannot be read.", pip("-e .")
        )
        return
    needs = [need for line in lines if (need := read_requirement(line)) is not None]
    always = [need for need in needs if not need.extra]
    wrong = [(need, problem) for need in always if (problem := _problem(need))]
    if not wrong:
        yield Finding("packages", "main", "ok", f"{len(always)} needed packages, each in a version that fits")
    for need, problem in wrong:
        yield Finding(need.name, "main", "fail", problem, pip(f"--upgrade '{need}'"))
    for extra in sorted({need.extra for need in needs if need.extra} - {"dev"}):
        yield _extra_finding(extra, [need for need in needs if need.extra == extra], extras, distribution)


def _extra_finding(
    extra: str, needs: list[Requirement], extras: Mapping[str, Mapping[str, str]], distribution: str
) -> Finding:
    known: Mapping[str, Any] = extras.get(extra, {})
    group, what = known.get("group", "other"), known.get("what", f"the extra {extra!r}")
    install = pip(f"'{distribution}[{extra}]'")
    absent = [need for need in needs if installed_version(need.name) is None]
    misfits = [problem for need in needs if need not in absent and (problem := _problem(need))]
    if misfits:
        return Finding(extra, group, "warn", f"{what}: {misfits[0]}", pip(f"--upgrade '{distribution}[{extra}]'"))
    if absent:
        names = ", ".join(need.name for need in absent)
        return Finding(extra, group, "off", f"{what}: not installed ({names})", install)
    return Finding(extra, group, "ok", f"{what}: {len(needs)} {'package' if len(needs) == 1 else 'packages'}")


def read_requirement(line: str) -> Requirement | None:
    """A line of `Requires-Dist`; None when a marker other than an extra decides, which only the installer can judge."""
    match = _REQUIREMENT.fullmatch(line)
    if match is None:
        return None
    name, bounds, marker = match.group(1), match.group(2).strip().replace(" ", ""), match.group(3) or ""
    extra = _EXTRA.search(marker)
    if marker.strip() and _EXTRA.sub("", marker).strip(" ()"):
        return None
    return Requirement(name, bounds, extra.group(1) if extra else "")


def installed_version(name: str) -> str | None:
    """The version that is installed, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _problem(need: Requirement) -> str:
    here = installed_version(need.name)
    if here is None:
        return f"{need.name} is not installed."
    if not fits(here, need.bounds):
        return f"{need.name} {here} is installed; {need.bounds} is needed."
    return ""


def fits(version: str, bounds: str) -> bool:
    """Whether a version satisfies bounds such as `>=1.7,<2`; by release numbers, without pre-release finesse."""
    here = _release(version)
    for bound in filter(None, bounds.split(",")):
        match = _BOUND.fullmatch(bound)
        if match is None:
            continue
        sign, text = match.groups()
        wanted, written = _release(text), [int(part) for part in re.findall(r"[0-9]+", text)]
        prefix = written[:-1] if sign == "~=" else written
        same = list(here[: len(prefix)]) == prefix if text.endswith(".*") or sign == "~=" else here == wanted
        holds = {
            ">=": here >= wanted,
            "<=": here <= wanted,
            ">": here > wanted,
            "<": here < wanted,
            "==": same,
            "===": same,
            "!=": not same,
            "~=": here >= wanted and same,
        }[sign]
        if not holds:
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    parts = [int(part) for part in numbers.group().split(".")] if numbers else [0]
    return tuple(parts + [0] * (4 - len(parts)))[: max(4, len(parts))]


def pip(words: str) -> str:
    """The command that installs into the very Python that runs us."""
    return f"{sys.executable} -m pip install {words}"
