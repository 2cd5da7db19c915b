"""Every refusal in one form: words, a status, and a reason that is counted."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from vitrine.core.errors import ImageError, ImageTooLarge
from vitrine.serving.engine import Overloaded
from vitrine.serving.metrics import Metrics, Reason
from vitrine.serving.schemas import Problem
from vitrine.serving.upload import TooManyImages

REASONS: dict[int, Reason] = {
    400: "no_image",
    404: "route",
    405: "method",
    408: "slow_body",
    409: "route",
    413: "body_too_large",
    415: "media_type",
    422: "route",
}
"""By the status that a route or a middleware refuses with."""


def problem(
    request_id: str, status: int, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer that says why there is no other."""
    body = Problem(error=text, request_id=request_id).model_dump_json()
    return Response(body, status, headers, "application/json")


async def refuse(request: Request, error: Exception) -> Response:
    """Turn an error on the way to an answer into one, and count it."""
    metrics: Metrics = request.app.state.metrics
    request_id: str = request.state.request_id
    match error:
        case ImageError():
            metrics.refused(slug(error))
            return problem(request_id, 422, unusable(error))
        case Overloaded():
            metrics.refused("overload")
            return problem(request_id, 503, str(error), {"Retry-After": "1"})
        case ClientDisconnect():
            metrics.refused("no_image")
            text = "the connection was closed before the whole body had come"
            return problem(request_id, 400, text)
        case TooManyImages():
            metrics.refused("batch_too_large")
            return problem(request_id, error.status_code, error.detail)
        case HTTPException():
            metrics.refused(REASONS[error.status_code])
            text = _words(request, error)
            return problem(request_id, error.status_code, text, error.headers)
    raise error


def slug(error: ImageError) -> Reason:
    """Return the reason under which a refused image is counted."""
    return "image_too_large" if isinstance(error, ImageTooLarge) else "bad_image"


def unusable(error: ImageError) -> str:
    """Say why an image cannot be used."""
    return f"the image cannot be used: {error.reason}"


def _words(request: Request, error: HTTPException) -> str:
    path = request.url.path
    if error.status_code == 404:
        return f"nothing is at {path}; /openapi.json lists what there is"
    if error.status_code == 405 and error.headers:
        return f"{path} does not take {request.method}; use {error.headers['Allow']}"
    return error.detail
