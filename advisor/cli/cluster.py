"""A Dask cluster of the user's for the length of one command, through joblib's backend."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.safetext import plain
from advisor.cli.output import Output

_SECONDS = 15


@contextlib.contextmanager
def spread_over(address: str, out: Output) -> Iterator[None]:
    """Let joblib send its work to the cluster at `address`; with an empty one everything stays here.

    Work travels as pickle, both ways: name only a cluster whose every machine you trust.
    """
    if not address:
        yield
        return
    try:
        from distributed import Client
        from joblib import parallel_config
    except ImportError as error:
        raise EnvironmentMissing(
            f"Spreading work over a cluster needs {error.name}.",
            fix='pip install "train-or-not[cluster]"',
            code="extra-missing",
        ) from error
    _reach(address)
    try:
        client: Any = Client(address, timeout=f"{_SECONDS}s", set_as_default=False)  # type: ignore[no-untyped-call]  # distributed has half its types
    except (OSError, ValueError, TimeoutError) as error:
        raise BadInput(
            f"No Dask scheduler answers at {address}.",
            where="--dask",
            why=f"{type(error).__name__} after {_SECONDS} seconds.",
            fix="Start one (dask scheduler; dask worker ADDRESS on each machine), or leave --dask out.",
            code="no-cluster",
        ) from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise BadInput(
                f"The cluster at {address} has no worker.",
                where="--dask",
                fix=f"Start one on each machine: dask worker {address}",
                code="no-workers",
            )
        out.note(f"Spread over {len(client.nthreads())} workers with {threads} threads at {address}.")
        try:
            with parallel_config(backend="dask", client=client, n_jobs=threads):
                yield
        except Exception as error:
            # Without its scheduler joblib fails in ways of its own: what tells is that the client gave up.
            if not isinstance(error, _lost()) and client.status == "running":
                raise
            raise EnvironmentMissing(
                f"The cluster at {address} was lost on the way.",
                where="--dask",
                why=f"{type(error).__name__}: {plain(error, 120)}",
                fix="Start its scheduler and workers again, then repeat the command: what was finished is kept.",
                code="cluster-lost",
            ) from error


def _lost() -> tuple[type[BaseException], ...]:
    """What Dask raises when all workers are gone."""
    from asyncio import CancelledError
    from concurrent.futures import CancelledError as Cancelled

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    return (TimeoutError, KilledWorker, CommClosedError, CancelledError, Cancelled)


def _reach(address: str) -> None:
    """Raise `BadInput` unless something listens there: a client that fails to connect leaves half of itself behind."""
    parts = urlsplit(address)
    try:
        if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
            raise ValueError("an address is tcp://HOST:PORT or tls://HOST:PORT")
        socket.create_connection((parts.hostname, parts.port), _SECONDS).close()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"No Dask scheduler answers at {plain(address, 100)}.",
            where="--dask",
            why=f"{plain(error, 120)}.",
            fix="Start one (dask scheduler; dask worker ADDRESS on each machine), or leave --dask out.",
            code="no-cluster",
        ) from error
