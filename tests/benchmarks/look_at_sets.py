"""What a look says of every real set, beside what its README line says; severe alarms on clean sets are counted.

    python -m tests.benchmarks.look_at_sets            the shared sets, then the ones that scikit-learn ships
    python -m tests.benchmarks.look_at_sets adult iris

A set counts as clean when its README names no trap that a check should call severe. "Beyond the README" lists severe
findings that no README line announces: at most one is allowed over all the sets. Prints seconds of CPU for each set.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from advisor.evidence.look import look_at
from advisor.records.look import Look
from tests.conftest import ROOT
from tests.evidence.bases import shipped
from tests.evidence.test_agreement import SETS

SHARED = ROOT.parent / "shared" / "data"
SHIPPED = {"iris": "target", "wine": "target", "digits": "target", "diabetes": "target", "breast_cancer": "target"}
SHIPPED |= {"linnerud": "Weight"}
ALLOWED = 1


def shared(name: str) -> tuple[Look, list[str]]:
    """The look at a shared set, and where it differs from the README line."""
    meta = json.loads((SHARED / name / "meta.json").read_text())
    look = look_at(SHARED / name / meta["file"], meta["target"])
    facts = {fact.name: fact.value for fact in look.facts}
    wrong = [
        f"{fact} is {facts.get(fact)}, README says {meta[key]}"
        for fact, key in (("n_rows", "rows"), ("n_features", "cols"))
        if facts.get(fact) != meta[key]
    ]
    raised = {found.code for found in look.pitfalls if found.outcome in ("issue", "tip")}
    wrong += [f"trap {code} was not seen" for code in SETS[name].traps if code not in raised]
    if look.task != SETS[name].task:
        wrong.append(f"task {look.task}, README says {SETS[name].task}")
    return look, wrong


def carried(name: str) -> tuple[Look, list[str]]:
    """The look at a set that scikit-learn ships, written as a file first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        shipped(name).to_csv(path, index=False)
        return look_at(path, SHIPPED[name]), []


def main(names: list[str]) -> int:
    """Print one line a set, the disagreements, and the false alarms; 1 when too many."""
    print(f"{'set':<20}{'rows':>8}{'task':>12}{'split':>12}{'CPU s':>7}  severe; moderate")
    wrong, beyond = [], []
    for source, known, look_of in (("shared", SETS, shared), ("shipped", SHIPPED, carried)):
        for name in known:
            if names and name not in names:
                continue
            start = time.process_time()
            look, differs = look_of(name)
            issues = [found for found in look.pitfalls if found.outcome == "issue"]
            severe = [found.code for found in issues if found.severity == "severe"]
            moderate = [found.code for found in issues if found.severity == "moderate"]
            expected = SETS[name].severe if source == "shared" else ()
            beyond += [
                f"{name}: {f.code} {f.text}" for f in issues if f.severity == "severe" and f.code not in expected
            ]
            wrong += [f"{name}: {told}" for told in differs]
            told = f"{' '.join(severe) or '-'}; {' '.join(moderate) or '-'}"
            took = time.process_time() - start
            print(f"{name:<20}{look.shape[0]:>8,}{look.task:>12}{look.split.kind:>12}{took:>7.1f}  {told}", flush=True)
    print(f"Differs from the README: {len(wrong)}")
    print("".join(f"  {told}\n" for told in wrong), end="")
    print(f"Severe beyond the README: {len(beyond)} (allowed {ALLOWED})")
    print("".join(f"  {told}\n" for told in beyond), end="")
    return 1 if wrong or len(beyond) > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
