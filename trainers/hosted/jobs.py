"""Fine-tuning jobs of an OpenAI-compatible service: upload, create, poll, cancel, events. Plain values in and out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from advisor.base.keys import without_key
from advisor.base.llm import AttemptFailed, OpenAIDoor
from advisor.base.safetext import plain

ENDED = ("succeeded", "failed", "cancelled")
_LOOKED_THROUGH = 5_000  # the newest of an account's jobs or files


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the service tells it. `model` is the tuned model's name once it succeeded."""

    id: str
    status: str
    model: str = ""
    trained_tokens: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a job's log."""

    id: str
    text: str


class Jobs:
    """The service's jobs behind one address. Calls raise `AttemptFailed`, or `EnvironmentMissing` without a key."""

    def __init__(self, door: OpenAIDoor) -> None:
        self._door = door

    def upload(self, path: Path, shown: str) -> str:
        """The service's own name for a file of examples; `shown` goes with it, so that it can be found again."""
        named = (shown, path.read_bytes(), "application/jsonl")
        return str(self._door.call(lambda client: client.files.create(file=named, purpose="fine-tune")).id)

    def create(self, model: str, training: str, validation: str, *, epochs: int, seed: int, run: str) -> Job:
        """Start a job. `run` goes with it, so that a job whose answer was lost can be found again."""
        settings = {"n_epochs": epochs}
        request: dict[str, Any] = {"model": model, "training_file": training, "seed": seed, "metadata": {"run": run}}
        if validation:
            request["validation_file"] = validation
        method = {"type": "supervised", "supervised": {"hyperparameters": settings}}
        try:
            return _job(self._door.call(lambda client: client.fine_tuning.jobs.create(**request, method=method)))
        except AttemptFailed as failure:
            # Services that copied the interface earlier know only its old place for the same settings.
            if failure.status not in (400, 422) or "method" not in failure.what:
                raise
        return _job(self._door.call(lambda client: client.fine_tuning.jobs.create(**request, hyperparameters=settings)))

    def find(self, run: str, training: str) -> Job | None:
        """The newest job that was started for `run`, or on its file of examples, which no other run has; else None."""
        listed = self._door.call(lambda client: list(islice(client.fine_tuning.jobs.list(limit=100), _LOOKED_THROUGH)))
        mine = (one for one in listed if _tag_of(one) == run or getattr(one, "training_file", None) == training)
        return next((_job(one) for one in mine), None)

    def find_file(self, shown: str) -> str:
        """The service's own name for the file that was uploaded as `shown`; empty when it holds none."""
        try:
            listed = self._door.call(lambda client: list(islice(client.files.list(limit=1000), _LOOKED_THROUGH)))
        except AttemptFailed as failure:
            if failure.status not in (404, 405, 501):
                raise
            return ""  # a service without such a list: a file that lies there twice costs nothing
        return next((str(one.id) for one in listed if getattr(one, "filename", None) == shown), "")

    def get(self, job: str) -> Job:
        """The job as it stands now."""
        return _job(self._door.call(lambda client: client.fine_tuning.jobs.retrieve(job)))

    def cancel(self, job: str) -> Job:
        """Ask the service to stop; what it trained so far is billed."""
        return _job(self._door.call(lambda client: client.fine_tuning.jobs.cancel(job)))

    def events(self, job: str) -> list[Event]:
        """The job's log, oldest first."""
        listed = self._door.call(lambda client: client.fine_tuning.jobs.list_events(job, limit=100).data)
        return [Event(str(one.id), plain(without_key(str(one.message)), 200)) for one in reversed(listed)]


def _tag_of(said: Any) -> str:
    return str((getattr(said, "metadata", None) or {}).get("run", ""))


def _job(said: Any) -> Job:
    trouble = getattr(getattr(said, "error", None), "message", None) or ""
    tokens = getattr(said, "trained_tokens", None)
    return Job(
        id=str(said.id),
        status=str(said.status),
        model=str(getattr(said, "fine_tuned_model", None) or ""),
        trained_tokens=tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None,
        trouble=plain(without_key(str(trouble)), 300),
    )
