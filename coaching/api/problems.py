"""Everything that goes wrong, as RFC 9457 problem details: words for people, types for programs."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from coaching.errors import CoachingError
from coaching.services import (
    cases,
    clinics,
    departures,
    helping,
    launches,
    sessions,
    waiting,
    worksheets,
)
from coaching.services.imports import WrongMoment
from coaching.services.launches import AlreadyLaunched, NotReady, SeatTaken
from coaching.services.plans import (
    BeingSolved,
    ChangedMeanwhile,
    CohortLaunched,
    NotADraft,
    NothingToRedo,
    NothingToUndo,
    OnlyPlan,
    WishRefused,
)
from coaching.services.readings import RowsRefused, TooManyRows
from coaching.services.scorecards import ScorecardRefused

MEDIA_TYPE = "application/problem+json"


class BadParameters(exceptions.ValidationError):
    """Query parameters that cannot be read."""


class TooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "This is too large."


# Refusals that are not about what was asked but about when.
STATUS = {
    AlreadyLaunched: HTTPStatus.CONFLICT,
    cases.CaseDecided: HTTPStatus.CONFLICT,
    cases.NotSwimming: HTTPStatus.CONFLICT,
    BeingSolved: HTTPStatus.CONFLICT,
    CohortLaunched: HTTPStatus.CONFLICT,
    NotADraft: HTTPStatus.CONFLICT,
    NothingToRedo: HTTPStatus.CONFLICT,
    NothingToUndo: HTTPStatus.CONFLICT,
    OnlyPlan: HTTPStatus.CONFLICT,
    sessions.NotPlanned: HTTPStatus.CONFLICT,
    sessions.NotSwimming: HTTPStatus.CONFLICT,
    worksheets.LearnerFirst: HTTPStatus.CONFLICT,
    worksheets.NotSwimming: HTTPStatus.CONFLICT,
    departures.Noted: HTTPStatus.CONFLICT,
    departures.NotActive: HTTPStatus.CONFLICT,
    departures.NotYours: HTTPStatus.FORBIDDEN,
    helping.NotPassed: HTTPStatus.CONFLICT,
    helping.NotSwimming: HTTPStatus.CONFLICT,
    helping.NotYours: HTTPStatus.FORBIDDEN,
    helping.SteppedBack: HTTPStatus.CONFLICT,
    launches.BothSides: HTTPStatus.CONFLICT,
    launches.NotAgain: HTTPStatus.CONFLICT,
    launches.NotRunning: HTTPStatus.CONFLICT,
    launches.SessionHeld: HTTPStatus.CONFLICT,
    launches.SomebodyLeft: HTTPStatus.CONFLICT,
    launches.TooLate: HTTPStatus.CONFLICT,
    waiting.NoSeat: HTTPStatus.CONFLICT,
    waiting.NobodyProposed: HTTPStatus.CONFLICT,
    waiting.NotRunning: HTTPStatus.CONFLICT,
    waiting.Settled: HTTPStatus.CONFLICT,
    SeatTaken: HTTPStatus.CONFLICT,
    WrongMoment: HTTPStatus.CONFLICT,
    ChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    NotReady: HTTPStatus.PRECONDITION_FAILED,
    TooManyRows: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


# Refusals that name the field of the body that they are about.
POINTED = (ScorecardRefused, WishRefused, cases.MeansRefused, clinics.ClinicRefused)


def problem_response(error: Exception, context: dict) -> Response | None:
    """The answer to an exception in a door; None for what is our own mistake."""
    if isinstance(error, CoachingError):
        return _refusal(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, SuspiciousOperation):
        error = exceptions.ParseError("This request cannot be read.")
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    if not isinstance(error, exceptions.ValidationError):
        return _problem(error.status_code, detail=_sentence(error.detail), headers=headers)
    kind = "parameter" if isinstance(error, BadParameters) else "pointer"
    errors = [
        {kind: where.removeprefix("#/") if kind == "parameter" else where, "detail": what}
        for where, what in _flat(error.detail)
    ]
    return _problem(
        HTTPStatus.BAD_REQUEST,
        type="urn:lanemate:invalid",
        detail=errors[0]["detail"] if len(errors) == 1 else f"{len(errors)} things to correct.",
        errors=errors,
    )


def _refusal(error: CoachingError) -> Response:
    extra = {}
    if isinstance(error, POINTED):
        extra["errors"] = [{"pointer": f"#/{error.field}", "detail": error.message}]
    if isinstance(error, RowsRefused):
        extra["count"] = error.count
        extra["errors"] = [
            {
                "pointer": f"#/{found.row - 1}" + (f"/{found.field}" if found.field else ""),
                "row": found.row,
                "detail": found.message,
            }
            for found in error.problems
        ]
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    return _problem(
        STATUS.get(type(error), HTTPStatus.BAD_REQUEST),
        type=f"urn:lanemate:{name}",
        detail=error.message,
        **extra,
    )


def _problem(
    status: int, *, detail: str, type: str = "about:blank", headers: dict | None = None, **extra
) -> Response:
    body = {
        "type": type,
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        **extra,
    }
    return Response(body, status=int(status), headers=headers, content_type=MEDIA_TYPE)


def _sentence(detail: object) -> str:
    if isinstance(detail, list):
        return " ".join(map(_sentence, detail))
    if isinstance(detail, dict):
        return _sentence(detail.get("detail") or list(detail.values()))
    return str(detail)


def _flat(detail: object, where: str = "#") -> Iterator[tuple[str, str]]:
    """Each sentence of a nested validation error with its JSON pointer (RFC 6901)."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            own = key in ("non_field_errors", "__all__")
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield from _flat(value, where if own else f"{where}/{step}")
    elif isinstance(detail, list | tuple):
        for place, item in enumerate(detail):
            nested = isinstance(item, dict | list | tuple)
            yield from _flat(item, f"{where}/{place}" if nested else where)
    else:
        yield where, str(detail)
