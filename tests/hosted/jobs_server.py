"""A real server on loopback that takes files and fine-tuning jobs, learns a table of answers and keeps its bill."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JobsServer:
    """`with JobsServer() as server`. A tuned model answers a row as the uploaded row with the same team does.

    `polls` is how often a job says that it is running before it ends as `ending`. With `loses_answer` the first job is
    made and the connection cut before its name is told. With `old` the newer place of the hyper-parameters is unknown.
    A file or a job is there `slow` seconds before its name is told.
    """

    def __init__(
        self,
        *,
        polls: int = 2,
        ending: str = "succeeded",
        loses_answer: bool = False,
        old: bool = False,
        slow: float = 0.0,
    ) -> None:
        self.polls, self.ending, self.loses_answer, self.old, self.slow = polls, ending, loses_answer, old, slow
        self.files: dict[str, list[dict[str, Any]]] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.questions: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.endswith("/files"):
                    taken = outer.take_file(body)
                    time.sleep(outer.slow)
                    self.tell(taken)
                elif self.path.endswith("/cancel"):
                    self.tell(outer.cancel(self.path.split("/")[-2]))
                elif self.path.endswith("/jobs"):
                    made = outer.make_job(json.loads(body))
                    time.sleep(outer.slow)
                    if outer.loses_answer:
                        outer.loses_answer = False
                        self.close_connection = True
                        return
                    self.tell(made, 400 if "error" in made and "id" not in made else 200)
                else:
                    self.tell(outer.answer(json.loads(body)))

            def do_GET(self) -> None:
                if "/events" in self.path:
                    events = [
                        {"id": f"e{n}", "object": "fine_tuning.job.event", "created_at": n, "level": "info"}
                        for n in (2, 1)
                    ]
                    self.tell(
                        {
                            "object": "list",
                            "has_more": False,
                            "data": [e | {"message": f"step {e['id']}"} for e in events],
                        }
                    )
                elif self.path.split("?")[0].endswith("/files"):
                    self.tell({"object": "list", "has_more": False, "data": list(reversed(outer.told.values()))})
                elif self.path.split("?")[0].endswith("/jobs"):
                    self.tell({"object": "list", "has_more": False, "data": list(reversed(outer.jobs.values()))})
                else:
                    self.tell(outer.look(self.path.split("/")[-1]))

            def tell(self, value: dict[str, Any], status: int = 200) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked was killed
                    self.wfile.write(data)

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> JobsServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take_file(self, body: bytes) -> dict[str, Any]:
        lines = [line for line in body.decode().splitlines() if line.startswith('{"messages"')]
        name = f"file-{len(self.files) + 1}"
        self.files[name] = [json.loads(line) for line in lines]
        shown = re.findall(r'filename="([^"]+)"', body[:2000].decode(errors="replace"))
        self.told[name] = {
            "id": name,
            "object": "file",
            "bytes": len(body),
            "created_at": 1,
            "filename": shown[0],
            "purpose": "fine-tune",
            "status": "processed",
        }
        return self.told[name]

    def make_job(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.old and "method" in request:
            return {
                "error": {"message": "unknown parameter: method", "type": "invalid", "param": "method", "code": None}
            }
        name = f"ftjob-{len(self.jobs) + 1}"
        self.jobs[name] = {
            "id": name,
            "object": "fine_tuning.job",
            "created_at": 1,
            "status": "running",
            "model": request["model"],
            "fine_tuned_model": None,
            "trained_tokens": None,
            "training_file": request["training_file"],
            "validation_file": request.get("validation_file"),
            "seed": request["seed"],
            "organization_id": "org",
            "result_files": [],
            "error": None,
            "hyperparameters": request.get("hyperparameters") or {},
            "metadata": request.get("metadata"),
            "asked": 0,
        }
        return self.jobs[name]

    def look(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        job["asked"] += 1
        if job["asked"] > self.polls and job["status"] == "running":
            job["status"] = self.ending
            if self.ending == "succeeded":
                job |= {"fine_tuned_model": f"ft:{job['model']}:{name}", "trained_tokens": 5000}
            else:
                job["error"] = {"code": "bad", "message": "row 3 was refused", "param": "training_file"}
        return job

    def cancel(self, name: str) -> dict[str, Any]:
        self.cancelled.append(name)
        self.jobs[name]["status"] = "cancelled"
        return self.jobs[name]

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.questions.append(request)
        content = "I would route this ticket with care."
        if request["model"].startswith("ft:"):
            asked = request["messages"][-1]["content"]
            rows = self.files[self.jobs[request["model"].split(":")[-1]]["training_file"]]
            words = set(re.findall(r"[a-z]+", asked))
            best = max(rows, key=lambda row: len(words & set(re.findall(r"[a-z]+", row["messages"][-2]["content"]))))
            content = best["messages"][-1]["content"]
        usage = {"prompt_tokens": 50, "completion_tokens": 10, "total_tokens": 60}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [choice],
            "usage": usage,
        }
