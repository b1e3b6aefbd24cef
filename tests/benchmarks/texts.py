"""Our trainer on texts beside its parts alone: TF-IDF variants, and MiniLM vectors under a linear model.

    python tests/benchmarks/texts.py --budget 180 sms_spam tweet_emotion banking77
    python tests/benchmarks/texts.py --shots 8                 (so many labels a class, the same sealed rows)

Every system learns on the same training rows and answers the same sealed rows, which choose nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  after the threads are set
import pandas as pd  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]

from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline, make_union  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402
from training_plans import Silent, plan_for, run_folder  # noqa: E402

from advisor.base.tables import read_table  # noqa: E402
from advisor.records.look import SplitProposal  # noqa: E402
from trainers.classical.sentences import SentenceVectors  # noqa: E402
from trainers.common.decide import Cut, labelled  # noqa: E402
from trainers.common.intervals import bootstrap, percentile  # noqa: E402
from trainers.common.labels import read_target  # noqa: E402
from trainers.common.metrics import METRICS, Output  # noqa: E402
from trainers.common.splits import split_rows  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402

SETS = {
    "sms_spam": ("text", "label", "binary"),
    "tweet_emotion": ("text", "label", "multiclass"),
    "banking77": ("text", "category", "multiclass"),
}


def others() -> dict[str, Any]:
    """The ways to beat, each with the settings its users start from."""
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    letters = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5))
    return {
        "words + logistic": make_pipeline(words, LogisticRegression(C=10, max_iter=300)),
        "words, letters + SVM": make_pipeline(make_union(words, letters), _calibrated()),
        "MiniLM + logistic": make_pipeline(SentenceVectors(), LogisticRegression(max_iter=1_000)),
        "MiniLM + logistic C10": make_pipeline(SentenceVectors(), LogisticRegression(C=10, max_iter=1_000)),
    }


def _calibrated() -> Any:
    return CalibratedClassifierCV(LinearSVC(), cv=3, ensemble=False)


def few(codes: np.ndarray, train: np.ndarray, shots: int, seed: int) -> np.ndarray:
    """So many training rows of each class."""
    draw = np.random.default_rng(seed)
    return np.sort(
        np.concatenate([draw.permutation(train[codes[train] == code])[:shots] for code in np.unique(codes[train])])
    )


def one_set(name: str, data: Path, budget: float, shots: int, seed: int) -> None:
    """Print a line for ours and each other way."""
    text, target_name, task = SETS[name]
    frame = read_table(next((data / name).glob("data.*"))).frame[[text, target_name]]
    frame = frame[frame[text].notna()].drop_duplicates(text).reset_index(drop=True)
    target = read_target(frame[target_name], task)
    split = split_rows(frame[[text]], target.values, SplitProposal(), None, seed)
    metric, classes = METRICS["macro_f1"], len(target.classes)
    codes = target.values.astype(int)
    train = few(codes, split.train, shots, seed) if shots else split.train
    outputs: dict[str, Output] = {}
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder)
        started, cpu = time.monotonic(), time.process_time()
        if shots:
            # The trainer seals rows of its own; here its search learns on all the few rows, and the sealed ones stay.
            outputs["ours"] = _ours_on(frame.iloc[train], frame.iloc[split.test], case, target_name, task, budget, seed)
            chosen = ""
        else:
            path = case / "data.csv"
            frame.to_csv(path, index=False)
            plan = plan_for(path, target_name, task, "macro_f1", budget=budget, seed=seed)
            record = find_trainer("classical").train(plan, case, run_folder(case), Silent())
            stored = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv").sort_values("row")
            assert stored["row"].tolist() == split.test.tolist()
            shares = stored[[f"ours_p{code}" for code in range(classes)]].to_numpy()
            outputs["ours"] = Output(probabilities=shares, labels=stored["ours"].to_numpy())
            chosen = f"{record.chosen}; {'; '.join(note for note in record.notes if 'vectors' in note)}"
        print(f"{name}: {len(train):,} rows, {classes} classes, sealed {len(split.test):,}; ours took "
              f"{time.monotonic() - started:.0f} s of {budget:.0f}, {time.process_time() - cpu:.0f} CPU s: {chosen}",
              flush=True)  # fmt: skip
    for other, model in others().items():
        model.fit(frame[text].iloc[train], codes[train])
        shares = np.zeros((len(split.test), classes))
        shares[:, model.classes_] = model.predict_proba(frame[text].iloc[split.test])
        outputs[other] = labelled(shares, Cut())
    truth = target.values[split.test]
    values = bootstrap(metric, truth, outputs, split.test_units(), 0, 1_000)
    for other, output in outputs.items():
        low, high = percentile(values["ours"] - values[other], 0.95)
        gain = "" if other == "ours" else f"   our gain {low:+.4f} to {high:+.4f}"
        print(f"  {other:<24}{metric.value(truth, output):.4f}{gain}", flush=True)


def _ours_on(
    train: pd.DataFrame, test: pd.DataFrame, case: Path, target: str, task: str, budget: float, seed: int
) -> Output:
    """Our choosing on a few rows, all of them, then the sealed rows answered."""
    from trainers.classical import planning
    from trainers.classical.choose import choose
    from trainers.classical.columns import Column, Schema, prepare
    from trainers.classical.final import fitted
    from trainers.classical.framing import framed
    from trainers.classical.search import search
    from trainers.classical.sentences import warm
    from trainers.common.rows import Rows
    from trainers.common.splits import Split

    path = case / "few.csv"
    both = pd.concat([train, test], ignore_index=True)
    both.to_csv(path, index=False)
    plan = plan_for(path, target, task, "macro_f1", budget=budget, seed=seed)
    text = next(column for column in both if column != target)
    schema = Schema((Column(str(text), "text"),))
    labels, at = read_target(both[target], task), np.arange(len(both))
    few_rows, sealed = at[: len(train)], at[len(train) :]
    split = Split("stratified", few_rows, sealed, at, labels.values.astype(np.int64), None, (), "")
    prepared = prepare(both[[text]], schema)
    rows = Rows(both[[text]], labels, at, None, ())
    reason = warm(train[text].tolist(), Silent(), budget)
    problem = framed(plan, rows, split, METRICS["macro_f1"], schema, prepared, vectors=not reason)
    tried = search(problem, planning.candidates(plan, problem.setup), run_folder(case), Silent(), budget)
    chosen = choose(tried, problem)
    print(f"  chosen of {len(tried)}: {chosen.name}")
    return fitted(problem, chosen, chosen.cut(problem), few_rows).answer_prepared(prepared.iloc[sealed])


def main() -> None:
    """Run the sets that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*")
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--budget", type=float, default=180.0)
    parser.add_argument("--shots", type=int, default=0, help="labels a class; 0 takes all")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.sets or SETS:
        one_set(name, arguments.data, arguments.budget, arguments.shots, arguments.seed)


if __name__ == "__main__":
    main()
