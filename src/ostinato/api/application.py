"""The HTTP application: how it fares, what can be read, and what that looks like."""

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ostinato.model.errors import NotFound, OstinatoError, OurMistake, QueryInvalid
from ostinato.store import Store

from .guard import Guard
from .openapi import described
from .problem import Problem, answer_of, problem
from .reads import READS, Read

_AT_ONCE: Final = 8
"""So many questions are put to the database at once; the others wait their turn, and not for a connection."""


def application(store: Callable[[], Store], token: str | None, version: str) -> Starlette:
    """Answers from the store that ``store`` gives, which may raise. For ``token`` see `Guard`."""
    description = msgspec.json.encode(described(version))
    turns = BoundedSemaphore(_AT_ONCE)

    def live(_: Request) -> Response:
        return _json({"status": "live"})

    def ready(_: Request) -> Response:
        store().dags_revision()
        return _json({"status": "ready"})

    def openapi(_: Request) -> Response:
        return Response(description, media_type="application/json")

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/api/v1/openapi.json", openapi),
            *[Route(read.path, _endpoint(read, store, turns)) for read in READS],
        ],
        middleware=[Middleware(Guard, token)],
        exception_handlers={OstinatoError: _ours, HTTPException: _of_http, Exception: _our_mistake},
    )


def _endpoint(read: Read, store: Callable[[], Store], turns: BoundedSemaphore) -> Callable[[Request], Response]:
    """It is no coroutine: Starlette runs it in a thread, as a database wants it."""

    def answer(request: Request) -> Response:
        query = _query(read, request)
        with turns:
            return _json(read.find(store(), query))

    return answer


def _query(read: Read, request: Request) -> msgspec.Struct:
    """What is asked for, in the words of a path. Raises QueryInvalid."""
    lists = {field.name for field in msgspec.structs.fields(read.query) if field.default_factory is list}
    words: dict[str, Any] = dict(request.path_params)
    for name in request.query_params:
        values = request.query_params.getlist(name)
        if name in words or (len(values) > 1 and name not in lists):
            raise QueryInvalid(f"{name} is given more than once", where=request.url.path)
        words[name] = values if name in lists else values[0]
    try:
        return msgspec.convert(words, read.query, strict=False)
    except msgspec.ValidationError as error:
        raise QueryInvalid(str(error), where=request.url.path) from error


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")


def _ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, OstinatoError)
    return problem(error)


def _of_http(request: Request, error: Exception) -> Response:
    """A path or a method that there is not."""
    assert isinstance(error, HTTPException)
    told = Problem(
        title=error.detail,
        status=error.status_code,
        detail=f"{request.method} {request.url.path} is not answered here",
        code=NotFound.code,
        where="",
        help=QueryInvalid.help,
    )
    answer = answer_of(told)
    answer.headers.update(error.headers or {})
    return answer


def _our_mistake(request: Request, error: Exception) -> Response:
    """What nobody thought of. The server's log has the trace."""
    advice = "Please report it with what the server wrote."
    return problem(OurMistake(type(error).__name__, where=request.url.path, help=advice))
