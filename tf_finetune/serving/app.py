"""The routes of the server."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tf_finetune.errors import UserError
from tf_finetune.serving.batching import OverloadedError
from tf_finetune.serving.guard import RequestGuard
from tf_finetune.serving.schema import Health, Problem, answer_model, records_of, request_model
from tf_finetune.serving.service import Service

_PATHS = ("/", "/predict", "/health", "/metrics", "/openapi.json", "/docs")
_REFUSALS = {
    400: "the body cannot be read",
    401: "no token, or a wrong one",
    408: "the body came too slowly",
    413: "the body is too large",
    415: "the body is not JSON in UTF-8",
    422: "the body is not as described",
    503: "too many texts wait; try again after Retry-After seconds",
}
_RETRY_SECONDS = "1"

_log = logging.getLogger("tf_finetune.serving")


def build_app(service: Service, token: str | None = None) -> FastAPI:
    """Builds the server around a service.

    Args:
        service: Answers texts; started and stopped with the server.
        token: What clients must send to /predict and /metrics; None asks for none.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="tf-finetune",
        summary=f"Answers with {service.model.labels.answer_kind}",
        version=service.model.version,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
    )
    _add_predict(app, service)
    _add_watching(app, service)
    _add_errors(app)

    def finished(method: str, path: str, status: int, seconds: float) -> None:
        known = path if path in _PATHS else "other"
        service.metrics.requests.labels(known, str(status)).inc()
        service.metrics.seconds.labels(known).observe(seconds)
        _log.info("%s %s %d %.1f ms", method, known, status, 1000 * seconds)

    app.add_middleware(
        RequestGuard,
        limits=service.limits,
        token=token,
        on_finished=finished,
        is_ending=lambda: service.ending,
    )
    return app


def _add_predict(app: FastAPI, service: Service) -> None:
    labels, pairs = service.model.labels, service.model.pairs
    body_model = request_model(labels, service.limits, pairs=pairs)
    described: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": meaning} for status, meaning in _REFUSALS.items()
    }
    # Only describes the token: it is checked before the body is read, by the guard.
    bearer = Depends(HTTPBearer(auto_error=False, description="if the server was given a token"))

    @app.post(
        "/predict",
        response_model=answer_model(labels),
        response_model_exclude_unset=True,  # what a model never says is no null
        responses=described,
        dependencies=[bearer],
        summary="Answer texts",
    )
    async def predict(body: body_model) -> Any:  # type: ignore[valid-type]
        try:
            records = records_of(body, labels)
        except UserError as error:
            found = [{"loc": ["body"], "msg": p, "type": "value_error"} for p in error.problems]
            return _json(422, {"detail": found})
        return await service.answer(records, getattr(body, "top_k", None))


def _add_watching(app: FastAPI, service: Service) -> None:
    @app.get("/health", response_model=Health, summary="Whether the server answers")
    async def health() -> Health:
        model = service.model
        return Health(
            status="ok",
            model=model.version,
            task=model.labels.task,
            labels=list(model.labels.counted_names),
            threshold=model.labels.threshold,
        )

    @app.get(
        "/metrics",
        response_class=Response,
        summary="Figures for Prometheus",
        responses={
            200: {"content": {"text/plain": {}}, "description": "Prometheus' text format"},
            401: {"model": Problem, "description": _REFUSALS[401]},
        },
    )
    async def metrics() -> Response:
        return Response(service.metrics.expose(service.watch), media_type=CONTENT_TYPE_LATEST)

    page = resources.files("tf_finetune.serving").joinpath("templates/docs.html").read_text("utf-8")

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("docs")  # relative: a proxy may serve us below a path

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        policy = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
        return HTMLResponse(page, headers={"content-security-policy": policy})


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # Without the input: a text that was refused is nobody else's, and NaN is not JSON.
        found = [
            {"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]}
            for one in error.errors()
        ]
        return _json(422, {"detail": found})

    @app.exception_handler(OverloadedError)
    async def overloaded(request: Request, error: OverloadedError) -> Response:
        response = _json(503, {"detail": "too many texts wait already; try again later"})
        response.headers["retry-after"] = _RETRY_SECONDS
        return response


def _json(status: int, content: Any) -> Response:
    # ASCII only: a name in a refused body may hold half a surrogate pair.
    return Response(json.dumps(content), status, media_type="application/json")
