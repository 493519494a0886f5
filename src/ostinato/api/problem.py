"""Errors as HTTP has them: problem details (RFC 9457) with our code, place and help."""

import inspect
from typing import Final

from msgspec import Struct, json
from starlette.responses import Response

from ostinato.model.errors import (
    Conflict,
    NotFound,
    OstinatoError,
    QueryInvalid,
    StoreUnavailable,
    TokenMissing,
)

_STATUS: Final = (
    (QueryInvalid, 400),
    (TokenMissing, 401),
    (NotFound, 404),
    (Conflict, 409),
    (StoreUnavailable, 503),
)


class Problem(Struct, kw_only=True):
    """What went wrong: ``title`` for every one of its kind, ``detail`` for this one; ``code`` is that of the command line."""

    title: str
    status: int
    detail: str
    code: str
    where: str
    help: str


def problem(error: OstinatoError) -> Response:
    """The answer to a request that an error came of."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    title = (inspect.getdoc(type(error)) or "").partition("\n")[0]
    told = Problem(title=title, status=status, detail=error.what, code=error.code, where=error.where, help=error.help)
    return answer_of(told)


def answer_of(told: Problem) -> Response:
    """A problem as an answer."""
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(told.status)
    return Response(json.encode(told), told.status, headers, "application/problem+json")
