"""One hosted run: seal, write the file, upload, wait for the job, answer the sealed rows with and without, compare."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from advisor import __version__
from advisor.base.case import now
from advisor.base.errors import BadInput, BudgetReached
from advisor.base.files import read_text, to_json, write_atomically
from advisor.base.llm import AttemptFailed, OpenAIDoor
from advisor.base.safetext import plain
from advisor.records.plain import save, to_plain
from advisor.records.plan import Plan
from advisor.records.run import Candidate, RunRecord
from trainers.climb.answers import AnswerStore
from trainers.climb.asker import Asker
from trainers.climb.spend import Meter
from trainers.common.machine import machine, peak_memory_mb, versions
from trainers.common.runfolder import complete, files_of, keep, work_file
from trainers.common.sealed import open_sealed, opening_note
from trainers.common.stages import stages_after
from trainers.contract import Progress
from trainers.hosted.choices import Choices
from trainers.hosted.files import as_turns, most_trained_tokens, write_examples
from trainers.hosted.jobs import ENDED, Job, Jobs
from trainers.hosted.trainer import closing, refuse_dear_training
from trainers.lora import rungs
from trainers.lora.examples import Message
from trainers.lora.parts import Parts, part
from trainers.lora.planning import answer_column, corpus_of
from trainers.lora.recipe import Recipe
from trainers.lora.results import hold, lines, samples
from trainers.lora.scores import METRICS, side_scores
from trainers.lora.tasks import metric_of

_TRAIN, _DEVELOPMENT = "openai_training.jsonl", "openai_validation.jsonl"
_RUNGS = ("prompt", "classical", "trivial")


class Running:
    """One run at a service. Every name the service gives is written down before the next call is made."""

    def __init__(self, plan: Plan, folder: Path, run: Path, progress: Progress, choices: Choices) -> None:
        self.plan, self.folder, self.run, self.progress, self.choices = plan, folder, run, progress, choices
        unknown = [name for name in plan.gate.against if name not in _RUNGS]
        if unknown or not plan.gate.against:
            raise BadInput(
                f"The gate names {plain(unknown[0], 40) if unknown else 'nothing'}, which cannot be measured here.",
                where="plan.yaml: gate.against",
                fix=f"Use one or more of {', '.join(_RUNGS)}.",
                code="no-rung",
            )
        self.jobs = Jobs(OpenAIDoor(choices.model, choices.endpoint))
        self.notes: list[str] = closing(choices.endpoint)
        self.times: dict[str, float] = {}
        self.clock = time.monotonic()
        self.started = now()

    def record(self) -> RunRecord:
        """Run all steps and return the record of the complete run."""
        keep(self.run, "plan.json", to_json(to_plain(self.plan)))
        self.progress.phase("Reading the examples and sealing the test part")
        recipe = Recipe(
            instruction=self.choices.instruction,
            development_rows=self.choices.development_rows,
            sealed_rows=self.choices.sealed_rows,
        )
        corpus = corpus_of(self.plan, self.folder, recipe)
        self.target = answer_column(self.plan, corpus)
        parts = part(corpus, self.plan, self.folder, recipe)
        self.notes += [*corpus.notes, *parts.notes]
        bound = most_trained_tokens(parts.train, self.choices.epochs) * self.choices.usd_trained / 1e6
        refuse_dear_training(bound, self.choices)
        for name, examples in ((_TRAIN, parts.train), (_DEVELOPMENT, parts.development)):
            if examples:
                write_examples(examples, self.run / name)
        self._lap("read_and_split")
        job = self._waited_for(self._job())
        self._lap("train")
        return self._finish(parts, job, bound)

    def _remembered(self) -> dict[str, str]:
        file = work_file(self.run, "job.json")
        return json.loads(read_text(file)) if file.exists() else {}

    def _remember(self, **names: str) -> dict[str, str]:
        known = {**self._remembered(), **names}
        write_atomically(work_file(self.run, "job.json"), to_json(known))
        return known

    def _uploaded(self, name: str, tag: str) -> dict[str, str]:
        """What is remembered once the service holds this file; one whose answer was lost is found by its name."""
        known = self._remembered()
        if name in known:
            return known
        shown = f"{tag}-{name}"
        found = self.jobs.find_file(shown) if f"sent {name}" in known else ""
        if not found:
            self.progress.phase(f"Uploading {name}")
            self._remember(**{f"sent {name}": now()})
            found = self.jobs.upload(self.run / name, shown)
        return self._remember(**{name: found})

    def _job(self) -> Job:
        """The job of this run: the one that was started before, else a new one. Files are uploaded once."""
        known = self._remembered()
        if "job" in known:
            return self.jobs.get(known["job"])
        tag = known.get("tag") or self._remember(tag=f"{self.run.name}-{secrets.token_hex(8)}")["tag"]
        for name in (_TRAIN, _DEVELOPMENT):
            if (self.run / name).exists():
                known = self._uploaded(name, tag)
        if "asked" in known and (found := self.jobs.find(tag, known[_TRAIN])):
            # The answer to the last try was lost: a second job for the same rows would be paid for twice.
            self._remember(job=found.id)
            return found
        self._remember(asked=now())
        job = self.jobs.create(
            self.choices.model,
            known[_TRAIN],
            known.get(_DEVELOPMENT, ""),
            epochs=self.choices.epochs,
            seed=self.plan.seed,
            run=tag,
        )
        self._remember(job=job.id)
        return job

    def _forget(self) -> None:
        """A job that ended without a model is no more this run's: the next try uploads anew and starts another."""
        write_atomically(work_file(self.run, "job.json"), to_json({}))

    def _waited_for(self, job: Job) -> Job:
        """The job when it ended. Raises `BudgetReached` after cancelling it at the end of its time."""
        self.progress.phase(f"Training {self.choices.model} at {self.choices.endpoint}, job {job.id}")
        seen: set[str] = set()
        start = time.monotonic()
        while job.status not in ENDED:
            if time.monotonic() - start > self.choices.most_hours * 3600:
                job = self.jobs.cancel(job.id)
                self._forget()
                raise BudgetReached(
                    f"The {self.choices.most_hours:g} hours that it may take are over; job {job.id} was cancelled.",
                    where="plan.yaml: settings.most_hours",
                    why="What it trained until then is billed by the service.",
                    fix="Raise most_hours in plan.yaml, then: train-or-not train CASE   (a new job, paid for anew)",
                    code="time-reached",
                )
            time.sleep(self.choices.poll_seconds)
            try:
                for event in self.jobs.events(job.id):
                    if event.id not in seen:
                        seen.add(event.id)
                        self.progress.phase(f"  {event.text}")
                job = self.jobs.get(job.id)
            except AttemptFailed as failure:
                if not failure.retry:
                    raise
        if job.status != "succeeded" or not job.model:
            self._forget()
            raise BadInput(
                f"The service ended job {job.id} as {job.status}: {job.trouble or 'it says no more'}.",
                where=self.choices.endpoint,
                fix="Correct what it names, then: train-or-not train CASE   (a new job, paid for anew)",
                code="job-failed",
            )
        return job

    def _finish(self, parts: Parts, job: Job, bound: float) -> RunRecord:
        trained = bound if job.trained_tokens is None else job.trained_tokens * self.choices.usd_trained / 1e6
        if job.trained_tokens is None:
            self.notes.append("The service does not say how many tokens it trained; the most it can be is counted.")
        store = AnswerStore(work_file(self.run, "answers.sqlite"))
        meter = Meter(Decimal(str(max(0.0, self.choices.max_usd - trained))), None, store)

        def ask(model: str, questions: Sequence[Sequence[Message]], phase: str) -> list[str]:
            self.progress.phase(phase)
            asker = Asker(OpenAIDoor(model, self.choices.endpoint), self.choices.price, meter, store)
            said = []
            for done, question in enumerate(questions, 1):
                said.append(asker.ask(as_turns(question), max_tokens=self.choices.longest_answer).text.strip())
                self.progress.step(done, len(questions), "rows")
            return said

        opening = open_sealed(self.folder, self.run.name, parts.test_part, len(parts.sealed))
        if note := opening_note(opening):
            self.notes.append(note)
        asked = [example.question for example in parts.sealed]
        wanted = [example.answer for example in parts.sealed]
        ours = ask(job.model, asked, "Answering with the tuned model")
        shots = rungs.shots_for(parts.train, self.choices.shots, self.plan.seed)
        rivals: dict[str, list[str]] = {}
        if "prompt" in self.plan.gate.against:
            prompts = [rungs.with_shots(question, shots) for question in asked]
            words = f"Answering with {self.choices.model} and {len(shots)} examples in its prompt"
            rivals["prompt"] = ask(self.choices.model, prompts, words)
        if "classical" in self.plan.gate.against:
            rivals["classical"] = rungs.classical_answers(parts.train, parts.sealed)
        if "trivial" in self.plan.gate.against:
            rivals["trivial"] = rungs.trivial_answers(parts.train, parts.sealed)
        self._lap("answer")
        name, _, told = metric_of(self.plan, [example.answer for example in parts.train])
        self.notes += told
        score, verdict = hold(name, ours, rivals, wanted, parts.units, self.plan, self.plan.gate)
        before = rivals.get("prompt", [])
        keep(self.run, "test_answers.jsonl", lines(parts.sealed, wanted, ours, [], rivals))
        answered = float(store.spent()[0])  # by every attempt of this run, however it ended
        usd = trained + answered
        rows = {"train": len(parts.train), "development": len(parts.development), "test": len(asked)}
        record = RunRecord(
            run=self.run.name,
            plan=self.plan,
            chosen=f"{self.choices.model}, tuned at {self.choices.endpoint}",
            candidates=tuple(Candidate(rival, None, 0.0, rungs.NAMES[rival]) for rival in rivals),
            sealed=score,
            gate=verdict,
            rows=rows,
            secondary=side_scores(ours, wanted),
            hyperparameters=self._kept(job, name),
            times=self.times,
            peak_memory_mb=peak_memory_mb(),
            versions=versions("openai"),
            machine={**machine(), "device": self.choices.endpoint},
            files={},
            diagnostics={
                "usd": {"trained": round(trained, 6), "answers": answered, "all": round(usd, 6)},
                "trained_tokens": job.trained_tokens,
                "samples": samples(parts.sealed[:6], before[:6], ours[:6]),
                "rivals": {rival: side_scores(said, wanted) for rival, said in rivals.items()},
                "metric": METRICS[name],
                "sealed_openings": opening,
            },
            notes=(*self.notes, f"It cost ${usd:.4f}: ${trained:.4f} to train, the rest for answers."),
            stages=stages_after(self.plan, "the tuned model", verdict, len(parts.train), len(asked)),
            started=self.started,
            finished=now(),
            tool_version=__version__,
        )
        record = replace(record, files=files_of(self.run))
        save(self.run / "run.json", record, made_from={"data": self.plan.data_sha256}, kind="run")
        complete(self.run)
        return record

    def _kept(self, job: Job, metric: str) -> dict[str, Any]:
        """What answering needs, and what names the job for good."""
        return {
            "base": self.choices.model,
            "tuned_model": job.model,
            "job": job.id,
            "choices": asdict(self.choices),
            "target": self.target,
            "metric": metric,
            "seed": self.plan.seed,
        }

    def _lap(self, phase: str) -> None:
        self.times[phase] = round(time.monotonic() - self.clock - sum(self.times.values()), 3)
