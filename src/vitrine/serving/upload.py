"""Getting one image out of a request, and refusing everything else in plain words."""

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIELD = "image"
MAX_FIELDS = 8


class BodyLimit:
    """ASGI middleware that refuses larger bodies with 413.

    Where a length is declared that happens before anything is read, else while the body comes.

    Args:
        app: What is protected.
        max_bytes: The largest body that is let through.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = int(dict(scope["headers"]).get(b"content-length", 0))
        taken = 0

        # Raised where the route asks for its body: there the app's handlers turn it into an answer.
        async def counted() -> Message:
            nonlocal taken
            self._check(declared)
            message = await receive()
            taken += len(message.get("body", b""))
            self._check(taken)
            return message

        await self._app(scope, counted, send)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise HTTPException(
                413, f"the body is larger than {self._max_bytes} bytes; send a smaller image"
            )


async def read_image(request: Request) -> bytes:
    """Return the bytes of the image that a request carries, as a form's file or as its body.

    Raises:
        HTTPException: 415 for a request of another type; 400 for one without exactly one image.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        data = await _read_form(request)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        data = await request.body()
    else:
        raise HTTPException(
            415,
            f"the content type must be multipart/form-data or image/*, but is {kind or 'missing'}; "
            f"send the file as the form field {FIELD!r}",
        )
    if not data:
        raise HTTPException(400, "the image is empty; send the bytes of an image file")
    return data


async def _read_form(request: Request) -> bytes:
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        value = form.get(FIELD)
        if isinstance(value, UploadFile):
            return await value.read()
        if value is not None:
            raise HTTPException(
                400, f"the field {FIELD!r} must be a file, but is text; send it with a file name"
            )
        found = ", ".join(repr(name) for name in form) or "none"
        raise HTTPException(
            400,
            f"the form has no field {FIELD!r}; its fields: {found}; send the image as {FIELD!r}",
        )
