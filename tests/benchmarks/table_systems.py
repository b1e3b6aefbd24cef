"""One system on one table, in a process of its own: `python table_systems.py SYSTEM JOB.json`.

Runs under the system's own interpreter, so it imports nothing of this project (but for `ours`) and no library before it
is needed. Reads train.csv and test.csv beside the job, whose target is a class code or a number; writes
SYSTEM.answers.csv (a column per class, or one) and SYSTEM.json (seconds, processor seconds, rows answered a second).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TARGET = "the target"
Answer = Any  # a function from a frame to an array [rows, classes] or [rows]


def autogluon(job: dict, train: pd.DataFrame, preset: str) -> Answer:
    from autogluon.tabular import TabularPredictor

    kinds = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
    measures = {"rmse": "root_mean_squared_error"}
    predictor = TabularPredictor(
        TARGET,
        problem_type=kinds[job["task"]],
        eval_metric=measures.get(job["metric"], job["metric"]),
        path=job["scratch"],
        verbosity=0,
    ).fit(train, presets=preset, time_limit=job["seconds"])
    if job["classes"]:
        return lambda frame: predictor.predict_proba(frame, as_pandas=True)[list(predictor.class_labels)].to_numpy()
    return lambda frame: predictor.predict(frame).to_numpy()


def flaml(job: dict, train: pd.DataFrame, _: str) -> Answer:
    from flaml import AutoML

    measures = {"average_precision": "ap"}
    # The LightGBM within refuses brackets and colons in names.
    plain = {name: f"c{at}" for at, name in enumerate(train.columns.drop(TARGET))}
    model = AutoML()
    model.fit(
        dataframe=as_categories(train).rename(columns=plain),
        label=TARGET,
        task="classification" if job["classes"] else "regression",
        metric=measures.get(job["metric"], job["metric"]),
        time_budget=job["seconds"],
        verbose=0,
        n_jobs=-1,
    )
    told = model.predict_proba if job["classes"] else model.predict
    return lambda frame: told(as_categories(frame).rename(columns=plain))


def mljar(job: dict, train: pd.DataFrame, _: str) -> Answer:
    from supervised.automl import AutoML

    measures = {"roc_auc": "auc", "log_loss": "logloss"}
    model = AutoML(
        results_path=job["scratch"],
        total_time_limit=int(job["seconds"]),
        mode="Perform",
        eval_metric=measures.get(job["metric"], job["metric"]),
        verbose=0,
    )
    model.fit(train.drop(columns=TARGET), train[TARGET])
    return lambda frame: model.predict_proba(frame) if job["classes"] else model.predict(frame)


def h2o(job: dict, train: pd.DataFrame, _: str) -> Answer:
    import h2o as library
    from h2o.automl import H2OAutoML

    library.init(nthreads=2, max_mem_size="3g", verbose=False, log_level="ERRR")
    library.no_progress()
    measures = {"roc_auc": "AUC", "average_precision": "AUCPR", "log_loss": "logloss", "rmse": "RMSE"}
    table = library.H2OFrame(train)
    if job["classes"]:
        table[TARGET] = table[TARGET].asfactor()
    model = H2OAutoML(max_runtime_secs=int(job["seconds"]), seed=0, sort_metric=measures[job["metric"]])
    model.train(y=TARGET, training_frame=table)

    def answer(frame: pd.DataFrame) -> np.ndarray:
        said = model.leader.predict(library.H2OFrame(frame)).as_data_frame()
        return (
            said[[name for name in said if name != "predict"]].to_numpy() if job["classes"] else said.to_numpy()[:, 0]
        )

    return answer


def catboost(job: dict, train: pd.DataFrame, how: str) -> Answer:
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostClassifier if job["classes"] else CatBoostRegressor
    frame, truth = as_words(train.drop(columns=TARGET)), train[TARGET]
    words = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    common = {"verbose": 0, "allow_writing_files": False, "thread_count": 2, "random_seed": 0, "cat_features": words}
    model = kind(**common).fit(frame, truth) if how == "default" else tuned(kind, common, frame, truth, job)
    return lambda rows: (model.predict_proba if job["classes"] else model.predict)(as_words(rows))


def tuned(kind: Any, common: dict, frame: pd.DataFrame, truth: pd.Series, job: dict) -> Any:
    """Random search over the usual ranges on a fifth held back, stopping early, until the time is used up."""
    draw, start = np.random.default_rng(0), time.monotonic()
    held = draw.random(len(frame)) < 0.2
    best, chosen, longest = np.inf, None, 0.0
    while chosen is None or time.monotonic() - start + 1.5 * longest < job["seconds"] * 0.8:
        setting = {
            "depth": int(draw.integers(4, 9)),
            "learning_rate": float(np.exp(draw.uniform(np.log(0.02), np.log(0.2)))),
            "l2_leaf_reg": float(np.exp(draw.uniform(0, np.log(20)))),
            "random_strength": float(draw.uniform(0, 2)),
        }
        began = time.monotonic()
        model = kind(iterations=1000, od_wait=40, **setting, **common)
        model.fit(frame[~held], truth[~held], eval_set=(frame[held], truth[held]))
        longest = max(longest, time.monotonic() - began)
        loss = min(next(iter(model.get_best_score()["validation"].items()))[1], np.inf)
        if loss < best:
            best, chosen = loss, {**setting, "iterations": max(20, model.get_best_iteration() + 1)}
        if time.monotonic() - start > job["seconds"]:
            break
    return kind(**chosen, **common).fit(frame, truth)


def lightgbm(job: dict, train: pd.DataFrame, _: str) -> Answer:
    import lightgbm as library

    kind = library.LGBMClassifier if job["classes"] else library.LGBMRegressor
    known = as_categories(train.drop(columns=TARGET))
    kinds = {name: known[name].dtype for name in known}
    plain = {name: f"c{at}" for at, name in enumerate(known)}
    model = kind(verbose=-1).fit(known.rename(columns=plain), train[TARGET])

    def answer(frame: pd.DataFrame) -> np.ndarray:
        rows = frame.astype({n: k for n, k in kinds.items() if isinstance(k, pd.CategoricalDtype)})
        return (model.predict_proba if job["classes"] else model.predict)(rows.rename(columns=plain))

    return answer


def skrub(job: dict, train: pd.DataFrame, _: str) -> Answer:
    import skrub as library
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    model = library.tabular_pipeline(
        HistGradientBoostingClassifier() if job["classes"] else HistGradientBoostingRegressor()
    )
    model.fit(train.drop(columns=TARGET), train[TARGET])
    return model.predict_proba if job["classes"] else model.predict


def linear(job: dict, train: pd.DataFrame, _: str) -> Answer:
    import skrub as library
    from sklearn.linear_model import LogisticRegression, RidgeCV

    model = library.tabular_pipeline(LogisticRegression(max_iter=1_000) if job["classes"] else RidgeCV())
    model.fit(train.drop(columns=TARGET), train[TARGET])
    return model.predict_proba if job["classes"] else model.predict


def dummy(job: dict, train: pd.DataFrame, _: str) -> Answer:
    if job["classes"]:
        shares = np.bincount(train[TARGET].astype(int), minlength=len(job["classes"])) / len(train)
        return lambda frame: np.tile(shares, (len(frame), 1))
    return lambda frame: np.full(len(frame), train[TARGET].mean())


def ours(job: dict, train: pd.DataFrame, leave_out: str) -> Answer:
    """The trainer as `train` runs it. It seals its own test part: the same rows, by the same hash of their content."""
    root = Path(__file__).resolve().parent.parent.parent
    sys.path[:0] = [str(root), str(root / "tests" / "trainers")]
    from training_plans import Silent, plan_for, run_folder

    from advisor.records.look import SplitProposal
    from trainers.classical.model_file import load_model
    from trainers.registry import find_trainer

    case = Path(job["scratch"])
    plan = plan_for(
        Path(job["data"]),
        job["target"],
        job["task"],
        job["metric"],
        split=SplitProposal(**job["split"]),
        drop=tuple(job["drop"]),
        budget=job["seconds"],
        seed=job["seed"],
        settings={"leave_out": leave_out.split("|")} if leave_out else {},
    )
    run = run_folder(case)
    record = find_trainer("classical").train(plan, case, run, Silent())
    job["told"] = {"chosen": record.chosen, "times": record.times, "sealed": record.sealed.value}
    model = load_model(run)

    def answer(frame: pd.DataFrame) -> np.ndarray:
        output = model.answer(frame)
        return output.probabilities if output.probabilities is not None else output.numbers

    return answer


def as_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns without gaps, as CatBoost wants them."""
    return frame.apply(
        lambda c: c if pd.api.types.is_numeric_dtype(c) else c.astype(object).where(c.notna(), "missing").map(str)
    )


def as_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as categories; LightGBM reads nothing else by itself."""
    return frame.apply(lambda c: c if pd.api.types.is_numeric_dtype(c) else c.astype("category"))


SYSTEMS = {
    "ours": (ours, ""),
    "ours without catboost": (ours, "ordered boosting"),
    "autogluon medium": (autogluon, "medium_quality"),
    "autogluon good": (autogluon, "good_quality"),
    "flaml": (flaml, ""),
    "mljar": (mljar, ""),
    "h2o": (h2o, ""),
    "catboost": (catboost, "default"),
    "catboost tuned": (catboost, "tuned"),
    "lightgbm": (lightgbm, ""),
    "skrub": (skrub, ""),
    "linear": (linear, ""),
    "dummy": (dummy, ""),
}


def main() -> None:
    """Fit one system, answer the test rows, and write down how long both took."""
    name, path = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    job = json.loads(path.read_text(encoding="utf-8"))
    job["scratch"] = str(path.parent / f"scratch-{name.replace(' ', '-')}")
    shutil.rmtree(job["scratch"], ignore_errors=True)
    fit, how = SYSTEMS[name]
    train, test = pd.read_csv(path.parent / "train.csv"), pd.read_csv(path.parent / "test.csv")
    test = test.drop(columns=TARGET)
    started, cpu = time.monotonic(), sum(os.times()[:4])
    answer = fit(job, train, how)
    told = {"seconds": time.monotonic() - started, "processor_seconds": sum(os.times()[:4]) - cpu}
    rows = pd.concat([test] * max(1, -(-2_000 // len(test))), ignore_index=True)
    answers, quickest = np.asarray(answer(test), dtype=float), np.inf
    for _ in range(3):
        began = time.monotonic()
        answer(rows)
        quickest = min(quickest, time.monotonic() - began)
    told |= {"rows_per_second": len(rows) / quickest, **job.get("told", {})}
    pd.DataFrame(answers.reshape(len(test), -1)).to_csv(path.parent / f"{name}.answers.csv", index=False)
    (path.parent / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    shutil.rmtree(job["scratch"], ignore_errors=True)


if __name__ == "__main__":
    main()
    # Some libraries leave threads or a server behind that would keep this process.
    os._exit(0)
