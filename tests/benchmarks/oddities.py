"""Our oddity scores beside pyod's isolation forest, ECOD and COPOD, on the same training and sealed rows.

    python tests/benchmarks/oddities.py
    TRAIN_OR_NOT_PYOD=/path/to/site-packages python tests/benchmarks/oddities.py --seeds 0,1,2

The labels are used for scoring; ours also tries its ways on labelled training rows, as a team with labels would. Peers
get the same numbers as columns, and for a series also our features of each step. TRAIN_OR_NOT_PYOD names a folder that
holds pyod when it is not installed here.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]
if os.environ.get("TRAIN_OR_NOT_PYOD"):
    sys.path.append(os.environ["TRAIN_OR_NOT_PYOD"])

from sklearn.metrics import roc_auc_score  # noqa: E402  after the path is set
from training_plans import Silent, plan_for, run_folder  # noqa: E402

from advisor.records.look import SplitProposal  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402
from trainers.unsupervised.lenses import SeriesLens  # noqa: E402
from trainers.unsupervised.model_file import load_found  # noqa: E402
from trainers.unsupervised.start import begin  # noqa: E402

SETS = {
    "thyroid_anomaly": ("anomaly", SplitProposal("stratified")),
    "nab_nyc_taxi": ("anomaly", SplitProposal("time", "timestamp")),
}
PEERS = {"isolation forest": "iforest.IForest", "ECOD": "ecod.ECOD", "COPOD": "copod.COPOD"}


def peer(name: str, seed: int) -> Any:
    module, kind = PEERS[name].split(".")
    made = getattr(importlib.import_module(f"pyod.models.{module}"), kind)
    return made(random_state=seed) if name == "isolation forest" else made()


def one_set(shared: Path, name: str, seed: int) -> None:
    target, split = SETS[name]
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder)
        plan = plan_for(
            shared / name / "data.csv", target, "anomalies", "roc_auc", split=split,
            against=("trivial", "one_column"), seed=seed,
        )  # fmt: skip
        plan = replace(plan, trainer="unsupervised")
        record = find_trainer("unsupervised").train(plan, case, run_folder(case, "unsupervised-1"), Silent())
        blind = replace(plan, task="oddities", metric=replace(plan.metric, value="agreement"))
        begun = begin(plan, case)
        find_trainer("unsupervised").train(
            replace(blind, gate=replace(plan.gate, against=("chance",))),
            case,
            run_folder(case, "unsupervised-2"),
            Silent(),
        )
        together = load_found(case / "runs" / "unsupervised-2").oddness(begun.rows.frame)
    test, train = begun.split.test, begun.split.train
    truth = begun.rows.odd[test]
    print(
        f"\n{name}, seed {seed}: {len(train):,} rows to learn from, "
        f"{len(test):,} sealed, {int(truth.sum())} of them odd"
    )
    print(f"  ours, chosen with labels ({record.chosen[:30]}): ROC-AUC {record.sealed.value:.4f}")
    blind_auc = roc_auc_score(truth, together[test])
    print(f"  ours, without labels: ROC-AUC {blind_auc:.4f}")
    print(f"  most extreme column: ROC-AUC {record.gate.comparisons[1].theirs.value:.4f}")
    numbers = begun.rows.frame.select_dtypes("number").fillna(0.0).to_numpy()
    seen = {"the columns": numbers} | ({"our features": begun.features} if isinstance(begun.lens, SeriesLens) else {})
    best = 0.0
    for words, table in seen.items():
        for who in PEERS:
            try:
                made = peer(who, seed)
            except ImportError:
                print(f"  pyod's {who}: not installed")
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made.fit(table[train])
                value = roc_auc_score(truth, made.decision_function(table[test]))
            best = max(best, value)
            print(f"  pyod's {who} on {words}: ROC-AUC {value:.4f}")
    if best:
        print(
            f"  against the best of pyod: with labels {record.sealed.value - best:+.4f}, "
            f"without {blind_auc - best:+.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    parser.add_argument("--seeds", default="0", help="separated by commas (default: 0)")
    options = parser.parse_args()
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"
    for name in options.sets:
        for seed in map(int, options.seeds.split(",")):
            one_set(shared, name, seed)


if __name__ == "__main__":
    main()
