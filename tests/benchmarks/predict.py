"""`predict` on a million rows beside a bare loop: pandas in chunks, the same pipeline, the same columns written.

    python tests/benchmarks/predict.py [ROWS]

Each runs in a process of its own, in turn, twice; the better time of each is compared. Memory is the most that the
process ever held, at a tenth of the rows and at all of them: flat means that the second is hardly more than the first.
The bare loop reads with pandas' defaults and checks nothing; `predict` finds out how the file is written, checks every
line, fits columns, counts what cannot be read, disarms text, and notes after each piece what is safely on disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]

import numpy as np  # noqa: E402  after the paths and the number of threads are set
import pandas as pd  # noqa: E402

BARE = """
import sys
from pathlib import Path
import pandas as pd
from threadpoolctl import threadpool_limits
from trainers.classical.model_file import load_model
model = load_model(Path(sys.argv[1]))
with threadpool_limits(1), open(sys.argv[3], "w") as out:
    for at, frame in enumerate(pd.read_csv(sys.argv[2], chunksize=10_000)):
        output = model.answer(frame)
        frame["prediction"] = [model.classes[code] for code in output.labels]
        for code, name in enumerate(model.classes):
            frame[f"score: {name}"] = output.probabilities[:, code]
        frame.to_csv(out, index=False, header=not at)
"""


def timed(words: list[str]) -> tuple[float, float]:
    """Seconds, and the megabytes the process held at most."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    most = 0.0
    while process.poll() is None:
        # The kernel's own high-water mark; what `wait4` tells would count the size of this process too.
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        told = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        most = max(most, float(told[0]) / 1024 if told else 0.0)
        time.sleep(0.2)
    assert process.returncode == 0, process.stderr and process.stderr.read().decode()
    return time.perf_counter() - began, most


def main() -> None:
    from training_plans import Silent, plan_for, run_folder, some_rows

    from advisor.base.tables import read_table
    from trainers.registry import find_trainer

    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = some_rows(shared / "adult" / "data.csv", folder, 4_000)
        plan = plan_for(data, "income", "binary", "roc_auc", settings={"folds": 2})
        record = find_trainer("classical").train(plan, folder, run_folder(folder), Silent())
        run = str(folder / "runs" / "classical-1")
        whole = read_table(shared / "adult" / "data.csv").frame.drop(columns="income")
        draw = np.random.default_rng(0)
        files = {}
        for count in (rows // 10, rows):
            files[count] = str(folder / f"{count}.csv")
            for start in range(0, count, 100_000):
                part = whole.iloc[draw.integers(0, len(whole), min(100_000, count - start))]
                part.to_csv(files[count], index=False, mode="a", header=not start)
        size = Path(files[rows]).stat().st_size / 1e6
        print(f"{rows:,} rows of adult, {size:,.0f} MB; {record.chosen}; one thread\n", flush=True)
        print("| | seconds | rows/s | most MB | most MB at a tenth of the rows |\n|---|---|---|---|---|")
        found: dict[str, list[tuple[float, float]]] = {"bare": [], "predict": []}
        small = {}
        for repeat in range(2):
            for name in found:
                out = str(folder / f"{name}.csv")
                ours = [sys.executable, "-m", "advisor", "predict", run]
                bare = [sys.executable, "-c", BARE, run]
                if not repeat:
                    tenth = files[rows // 10]
                    small[name] = timed([*bare, tenth, out] if name == "bare" else [*ours, tenth, "--output", out])[1]
                    Path(out).unlink()
                words = [*bare, files[rows], out] if name == "bare" else [*ours, files[rows], "--output", out]
                found[name].append(timed(words))
        for name, both in found.items():
            seconds, most = min(both)[0], max(memory for _, memory in both)
            print(f"| {name} | {seconds:.1f} | {rows / seconds:,.0f} | {most:,.0f} | {small[name]:,.0f} |")
        pair = [pd.read_csv(folder / f"{name}.csv", chunksize=100_000) for name in found]
        same = all((a.iloc[:, -3:] == b.iloc[:, -3:]).all(axis=None) for a, b in zip(*pair, strict=True))
        ratio = min(found["bare"])[0] / min(found["predict"])[0]
        print(f"\npredict / bare: {ratio:.2f}x its rows a second; the same answers: {same}")


if __name__ == "__main__":
    main()
