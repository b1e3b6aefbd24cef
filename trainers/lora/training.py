"""One fine-tuning run: read and check, seal, learn, answer the sealed rows with and without, compare, write down."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from advisor import __version__
from advisor.base.case import now
from advisor.base.files import read_text, to_json, write_atomically
from advisor.base.safetext import plain
from advisor.records.plain import save, to_plain
from advisor.records.plan import Plan
from advisor.records.run import GateVerdict, RunRecord
from trainers.common.machine import machine, peak_memory_mb, versions
from trainers.common.runfolder import WORK, complete, files_of, keep, work_file
from trainers.common.sealed import open_sealed, opening_note
from trainers.common.stages import stages_after
from trainers.contract import Progress
from trainers.lora.base import context_of, fingerprint, read_shape
from trainers.lora.batches import shared_prefix
from trainers.lora.encoding import encoded
from trainers.lora.export import export_adapter, export_model, lora_figures, write_card
from trainers.lora.forward import Losses
from trainers.lora.full_card import taken_of_card_mb
from trainers.lora.judging import answered
from trainers.lora.launching import VARIABLE, peaks, train_launched
from trainers.lora.loop import ALONE, Trained, train
from trainers.lora.machine import Arithmetic, Device, available_memory_mb
from trainers.lora.memory import fit
from trainers.lora.parts import Parts, part
from trainers.lora.planning import answer_column, corpus_of
from trainers.lora.policy import larger_pieces, presets
from trainers.lora.recipe import Recipe
from trainers.lora.results import gap, hold, lines, samples
from trainers.lora.scores import METRICS, side_scores
from trainers.lora.session import Session, lengths, open_base, open_session
from trainers.lora.sharding import ShardedLoss, held
from trainers.lora.tasks import check_gate, task_of
from trainers.lora.team import Team
from trainers.lora.tokens import Encoded, room_for_answers


@dataclass(frozen=True, slots=True)
class Ready:
    """All that is known before the weights are loaded; `longest` is the tokens of the longest row."""

    where: Path | str
    tokenizer: Any
    device: Device
    arithmetic: Arithmetic
    recipe: Recipe
    parts: Parts
    rows: list[Encoded]
    development: list[Encoded]
    sealed: list[Encoded]
    longest: int


class Training:
    """One run, step by step; each step reads what the steps before it left."""

    def __init__(self, plan: Plan, folder: Path, run: Path, progress: Progress, recipe: Recipe) -> None:
        self.plan, self.folder, self.run, self.progress, self.recipe = plan, folder, run, progress, recipe
        self.started = now()
        self.times: dict[str, float] = {}
        self.clock = time.monotonic()
        self.notes: list[str] = []
        check_gate(plan.gate)

    def record(self) -> RunRecord:
        """Run all steps and return the record of the complete run."""
        keep(self.run, "plan.json", to_json(to_plain(self.plan)))
        ready = self._ready()
        if launcher := os.environ.get(VARIABLE, ""):
            self.progress.phase(f"Training by {launcher}")
            train_launched(launcher, self.run, self.progress)
            self.notes.append(f"Trained by several processes: {plain(launcher, 200)}.")
        session = self._open(ready)
        self._lap("load")
        trained = self._train(session, ready)
        taken = taken_of_card_mb(session.device.kind)  # before answering, which takes memory of its own
        session.end_learning()
        self._lap("train")
        return self._finish(session, ready, trained, taken)

    def learn(self, team: Team) -> None:
        """Only the training, as one of a team; the run's own process takes up what it leaves."""
        ready = self._ready()
        self._train(self._open(ready), ready, team)

    def _ready(self) -> Ready:
        """Everything before the weights are loaded: rows read, checked, sealed and cut into tokens; choices settled."""
        self.progress.phase("Reading the examples and sealing the test part")
        corpus = corpus_of(self.plan, self.folder, self.recipe)
        self.target = answer_column(self.plan, corpus)
        parts = part(corpus, self.plan, self.folder, self.recipe)
        self._lap("read_and_split")
        where, tokenizer, device, arithmetic = open_base(self.recipe, self.folder, self.progress)
        self.task = task_of(self.plan, self.recipe, corpus, where)
        self.notes += [*corpus.notes, *parts.notes, *self.task.notes]
        limit = self.recipe.longest or context_of(where, tokenizer)
        self.progress.phase("Cutting the examples into tokens")
        data = self.folder / self.plan.data
        rows, development, sealed = encoded(parts, self.task, where, tokenizer, limit, self.folder, data)
        longest = max(len(row.ids) for row in (*rows, *development, *sealed))
        self.longest_answer = room_for_answers([*rows, *development])
        recipe, arithmetic = self._settled(where, arithmetic, longest, device)
        return Ready(where, tokenizer, device, arithmetic, recipe, parts, rows, development, sealed, longest)

    def _open(self, ready: Ready) -> Session:
        self.progress.phase(f"Loading {self.recipe.base} in {ready.arithmetic.dtype} on {ready.device.name}")
        return open_session(
            ready.recipe,
            ready.where,
            ready.tokenizer,
            ready.device,
            ready.arithmetic,
            ready.longest,
            self.plan.seed,
            labels=self.task.labels,
            pairs=self.task.kind == "pairs",
        )

    def _settled(
        self, where: Path | str, arithmetic: Arithmetic, longest: int, device: Device
    ) -> tuple[Recipe, Arithmetic]:
        """What was found out about this machine, kept: a resumed run must multiply as it did before it was killed."""
        file = work_file(self.run, "settled.json")
        if file.exists():
            kept = json.loads(read_text(file))
            return Recipe(**kept["recipe"]), Arithmetic(**kept["arithmetic"])
        recipe, shape = self.recipe, read_shape(where)
        if shape is not None:
            gpu, share = device.kind != "cpu", presets()["memory"]["usable_share"]
            room = share * (device.memory_mb if gpu else available_memory_mb())
            larger = () if os.environ.get(VARIABLE) else larger_pieces(self.plan)  # several processes share out pieces
            recipe = fit(shape, recipe, arithmetic.dtype, longest, room, gpu=gpu, larger=larger)
        write_atomically(file, to_json({"recipe": asdict(recipe), "arithmetic": asdict(arithmetic)}))
        return recipe, arithmetic

    def _lap(self, phase: str) -> None:
        self.times[phase] = round(time.monotonic() - self.clock - sum(self.times.values()), 3)

    def _train(self, session: Session, ready: Ready, team: Team = ALONE) -> Trained:
        loss: Losses = session.loss
        if session.recipe.learning == "full" and team.size > 1:
            loss, team = ShardedLoss(session.loss, session.model, team), replace(team, sharded=True)
            ours, every = (sum(count(w) for _, w in session.trainable()) for count in (held, Tensor.numel))
            self.progress.phase(f"Process {team.rank + 1} of {team.size} holds {ours:,} of {every:,} weights")
        prefix = shared_prefix([*ready.rows, *ready.development]) if loss.can_share else 0
        checkpointed = session.recipe.checkpointing == "on"
        if prefix and checkpointed:
            prefix = 0
            self.notes.append("Memory is short: forward passes are run twice, and a shared instruction for each row.")
        return train(
            loss,
            session.trainable(),
            ready.rows,
            ready.development,
            session.recipe,
            prefix=prefix,
            seed=self.plan.seed,
            budget_seconds=self.plan.budget_seconds,
            work=self.run / WORK,
            progress=self.progress,
            team=team,
        )

    def _finish(self, session: Session, ready: Ready, trained: Trained, taken: float) -> RunRecord:
        self.progress.phase("Opening the sealed test part")
        where, parts, rows, asked = ready.where, ready.parts, ready.rows, ready.parts.sealed
        opening = open_sealed(self.folder, self.run.name, parts.test_part, len(asked))
        said = answered(
            session,
            parts,
            ready.sealed,
            self.task.gate,
            where=where,
            shots=self.recipe.shots,
            seed=self.plan.seed,
            longest=self.longest_answer,
            progress=self.progress,
            lap=self._lap,
        )
        self.notes += filter(None, [opening_note(opening), *said.notes])
        sealed_score, verdict = hold(
            self.task.metric, said.ours, said.rivals, said.wanted, parts.units, self.plan, self.task.gate
        )
        self._lap("sealed")
        if session.recipe.learning == "lora":
            export_adapter(session, trained.weights, self.recipe.base, where, self.run / "adapter")
        course, lora = trained.course, lora_figures(session, trained.weights)
        keep(self.run, "test_answers.jsonl", lines(asked, said.wanted, said.ours, said.before, said.rivals))
        if self.recipe.export == "merged" or session.recipe.learning == "full":
            export_model(session, self.run / "merged", self.recipe.base, where)
        self._lap("export")
        record = RunRecord(
            run=self.run.name,
            plan=self.plan,
            chosen=f"{self.recipe.base} + {'LoRA' if session.recipe.learning == 'lora' else 'full fine-tuning'}",
            candidates=said.candidates,
            sealed=sealed_score,
            gate=verdict,
            rows={"train": len(rows), "development": len(parts.development), "test": len(asked)},
            secondary=side_scores(said.ours, said.wanted),
            hyperparameters=self._kept(session, where, parts, trained, rows),
            times=self.times,
            peak_memory_mb=peak_memory_mb(),
            versions=versions("torch", "transformers", "peft", "safetensors", "tokenizers", "numpy"),
            machine={**machine(), "device": session.device.name, "arithmetic": session.arithmetic.reason},
            files={},
            diagnostics={
                "curve": course.curve,
                "best_step": course.best_step,
                "stopped": course.stopped,
                "forecast": course.forecast,
                "actual": {
                    "seconds": round(course.seconds, 1),
                    **peaks(self.run, taken or peak_memory_mb()),
                    "tokens": course.tokens,
                    "tokens_per_second": round(course.tokens / max(course.seconds, 1e-9), 1),
                },
                "lengths": lengths(rows, ready.recipe.longest or context_of(where, ready.tokenizer)),
                "overfitting": gap(course.curve),
                "samples": samples(asked, said.before, said.after),
                "rivals": {name: side_scores(texts, said.wanted) for name, texts in said.rivals.items()},
                "lora": lora,
                **({"learning_rates_tried": course.tried_rates} if course.tried_rates else {}),
                "metric": METRICS[self.task.metric],
                "sealed_openings": opening,
            },
            notes=tuple(self._all_notes(trained)),
            stages=self._stages(verdict, len(rows), len(asked)),
            started=self.started,
            finished=now(),
            tool_version=__version__,
        )
        write_card(self.run, record)
        record = replace(record, files=files_of(self.run))
        save(self.run / "run.json", record, made_from={"data": self.plan.data_sha256}, kind="run")
        complete(self.run)
        return record

    def _kept(
        self, session: Session, where: Path | str, parts: Parts, trained: Trained, rows: Sequence[Encoded]
    ) -> dict[str, object]:
        """What answering and repeating need."""
        return {
            "base": self.recipe.base,
            "base_content": fingerprint(where),
            "recipe": asdict(replace(session.recipe, base=self.recipe.base)),
            "steps": trained.course.steps,
            "learning_rate": trained.course.rate or session.recipe.learning_rate,
            "threads": trained.course.threads,
            "precision": session.arithmetic.precision,
            "longest_row": max(len(row.ids) for row in rows),
            "longest_answer": self.longest_answer,
            "labels": list(self.task.labels),
            "target": self.target,
            "metric": self.task.metric,
            "metric_reason": self.task.reason,
            "seed": self.plan.seed,
            "test_part": parts.test_part,
        }

    def _all_notes(self, trained: Trained) -> list[str]:
        course = trained.course
        said = [course.tried_rates["said"]] if course.tried_rates else []
        said += [f"Cut to fit the time: {course.forecast['changed']}."] if course.forecast.get("changed") else []
        said += [f"Stopped early: {course.stopped}."] if course.stopped else []
        if 0 <= course.best_step < course.step:
            said.append(f"The weights of step {course.best_step} of {course.step} were the best and are the ones kept.")
        return [*self.notes, *said]

    def _stages(self, verdict: GateVerdict, train_rows: int, test_rows: int) -> tuple[dict[str, str], ...]:
        stages = stages_after(
            self.plan,
            "the tuned model",
            verdict,
            train_rows,
            test_rows,
            "Each row was written as the model's own chat template writes it; only answers carry loss.",
        )
        if len(stages) > 3:
            looked = "The best of several looks at development rows was kept; the base with examples is the rival."
            stages[3]["done"] = looked
        return stages
