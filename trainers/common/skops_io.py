"""skops without what its import loads in vain: the one door to it."""

from __future__ import annotations

import importlib
import sys
from typing import Any

_WALKED_IN_VAIN = ("sklearn.externals.array_api_compat.torch", "sklearn.externals.array_api_compat.dask")


def skops_io() -> Any:
    """The module `skops.io`, imported only when a model is written or read: a plan needs none of it.

    Its import walks through every module of scikit-learn, and two of them would load torch and dask where those are
    installed: ten seconds and 200 MiB for names that no model of ours holds. They are hidden for that moment.
    """
    hidden = [name for name in _WALKED_IN_VAIN if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is Python's own mark of "not there"
    try:
        return importlib.import_module("skops.io")
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
