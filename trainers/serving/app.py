"""The web application of one run: /predict, /schema, /healthz, /metrics, and OpenAPI that says what a row holds."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from advisor import __version__
from advisor.base.errors import BadInput, Problem
from trainers.serving.batching import Batcher, Full, Row
from trainers.serving.chat import offer_chat
from trainers.serving.journal import Journal
from trainers.serving.limits import Limits
from trainers.serving.metrics import Meters
from trainers.serving.requests import Refused, body_schema, fault, rows_of
from trainers.use.answers import Answers
from trainers.use.inputs import as_plain
from trainers.use.opened import OpenedRun

KEY = "TRAIN_OR_NOT_SERVE_KEY"


def application(opened: OpenedRun, limits: Limits, *, key: str = "", journal: Journal | None = None) -> FastAPI:
    """The application that answers for `opened`. With a `key`, all but /healthz asks for it as a bearer token."""
    service = _Service(opened, limits, key, journal)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.batcher.close()

    # The interactive pages would load scripts from a foreign server, so only the description itself is served.
    app = FastAPI(
        title=f"train-or-not: {opened.name}",
        version=__version__,
        openapi_url=None,  # FastAPI's own would answer without the key
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    body = {"content": {"application/json": {"schema": body_schema(opened.columns, limits.max_rows)}}, "required": True}
    told = {
        401: "No key, or a wrong one",
        408: "The body took too long",
        413: "Too many bytes or rows",
        415: "Not JSON",
        422: "Rows that cannot be answered, each fault with its place",
        503: "Too many rows wait; come back later",
        504: "Took too long",
    }
    app.post(
        "/predict",
        summary="Answers for one row, or for many",
        openapi_extra={"requestBody": body},
        responses={code: {"description": words} for code, words in told.items()},
    )(service.predict)
    app.get("/schema", summary="What a row holds, what is answered, and where the answers come from")(service.schema)
    app.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)(service.metrics)
    if opened.backend.chat is not None:
        talk = (service.batcher.thread, service.posted, limits.request_seconds, service.meters.count)
        offer_chat(app, opened.backend.chat, opened.name, *talk, service.keep)
        app.get("/v1/models", summary="The one model that answers")(service.models)
    app.get("/healthz", summary="Whether the model is loaded and answers")(service.healthz)

    async def described(request: Request) -> Response:
        return service.refusal(request) or JSONResponse(app.openapi())

    app.get("/openapi.json", include_in_schema=False)(described)
    return app


class _Service:
    """What stands behind the addresses."""

    def __init__(self, opened: OpenedRun, limits: Limits, key: str, journal: Journal | None) -> None:
        self.opened, self.limits, self.key, self.journal = opened, limits, key, journal
        self.meters = Meters()
        # Where rows mean something only beside each other, those of two clients must never meet.
        shared = 0 if opened.backend.together else limits.batch_rows
        self.batcher = Batcher(self._answer, shared, limits.waiting_rows)
        self.provenance = opened.provenance()

    def _answer(self, rows: list[Row]) -> Answers:
        started = time.perf_counter()
        answers = self.opened.backend.answer(pd.DataFrame(rows))
        self.keep(rows, answers, time.perf_counter() - started)
        return answers

    def keep(self, rows: list[Row], answers: Answers, seconds: float) -> None:
        """Write down what was asked and answered, where a file was named for it."""
        if self.journal is not None:
            self.journal.keep(rows, answers, seconds)

    async def predict(self, request: Request) -> Response:
        started, status = time.perf_counter(), 500  # what is sent where neither an answer nor a refusal comes about
        self.meters.in_flight += 1
        try:
            response = await self._predicted(request)
            status = response.status_code
        except Refused as refused:
            status = refused.status
            response = JSONResponse({"detail": refused.faults}, status)
            if status == 503:
                response.headers["Retry-After"] = "1"
        finally:
            self.meters.in_flight -= 1
            self.meters.count(status)
            self.meters.seconds.add(time.perf_counter() - started)
        return response

    async def posted(self, request: Request) -> bytes:
        """The body of a request that may ask; its key, kind, size and time are checked. Raises `Refused`."""
        self._check_key(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, [fault([], "Send JSON: Content-Type: application/json.", "content_type")])
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                return await self._body(request)
        except TimeoutError:
            raise Refused(408, [fault([], "The body did not arrive in time.", "slow_body")]) from None
        except ClientDisconnect:  # nobody reads this; it is counted apart from what fails here
            raise Refused(499, [fault([], "The client left before its body came.", "client_left")]) from None

    async def _predicted(self, request: Request) -> Response:
        body = await self.posted(request)
        rows, single = rows_of(body, self.opened.columns, self.limits.max_rows)
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                answers = await self.batcher.ask(rows)
        except TimeoutError:
            raise Refused(504, [fault([], "No answer in time; send fewer rows.", "too_slow")]) from None
        except Full:
            raise Refused(503, [fault([], "Too many rows wait; come back in a second.", "too_busy")]) from None
        except BadInput as bad:
            raise Refused(422, [fault([], f"{bad.what} {bad.fix}".strip(), bad.code)]) from None
        except Problem as problem:  # a cap that is reached, a model server that is gone
            raise Refused(503, [fault([], problem.what, problem.code)]) from None
        self.meters.rows += len(rows)
        if answers.classes:
            for name, count in Counter(answers.predictions).items():
                self.meters.predictions[name] = self.meters.predictions.get(name, 0) + count
        told = list(answers.rows())
        content: dict[str, Any] = told[0] if single else {"predictions": told}
        return Response(json.dumps(content, ensure_ascii=False), media_type="application/json")

    async def _body(self, request: Request) -> bytes:
        pieces, size = [], 0
        async for piece in request.stream():
            size += len(piece)
            if size > self.limits.max_bytes:
                words = f"The body has more than {self.limits.max_bytes:,} bytes."
                raise Refused(413, [fault([], words, "too_large")])
            pieces.append(piece)
        return b"".join(pieces)

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if self.key and not hmac.compare_digest(given.encode(), f"Bearer {self.key}".encode()):
            raise Refused(401, [fault([], "Send the key: Authorization: Bearer …", "no_key")])

    async def schema(self, request: Request) -> Response:
        if refused := self.refusal(request):
            return refused
        return JSONResponse(
            {"columns": as_plain(self.opened.columns), "classes": list(self.opened.classes), "run": self.provenance}
        )

    async def models(self, request: Request) -> Response:
        if refused := self.refusal(request):
            return refused
        one = {"id": self.opened.name, "object": "model", "owned_by": "train-or-not"}
        return JSONResponse({"object": "list", "data": [one]})

    async def metrics(self, request: Request) -> Response:
        if refused := self.refusal(request):
            return refused
        model = {name: str(self.provenance[name]) for name in ("run", "trainer", "model", "complete_sha256")}
        text = self.meters.text(model, self.batcher.batches, self.batcher.rows_waiting)
        return Response(text, media_type="text/plain; version=0.0.4")

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request without the key; None where it may go on."""
        try:
            self._check_key(request)
        except Refused as refused:
            return JSONResponse({"detail": refused.faults}, refused.status)
        return None

    async def healthz(self) -> dict[str, str]:
        return {"status": "ok", "run": self.opened.name}


def key_from_environment() -> str:
    """The bearer key, from the environment only: a command line is seen by everybody on the machine."""
    return os.environ.get(KEY, "")
