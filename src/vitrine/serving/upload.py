"""Getting images out of a request, and refusing everything else in plain words."""

from contextlib import aclosing
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIELD = "image"
MAX_FIELDS = 8
"""Parts of a form beside its images."""
FORM = "multipart/form-data"


class TooManyImages(HTTPException):
    """A batch holds more images than may be."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An image as it was sent.

    Args:
        name: The name of its file, chosen by the client.
        data: Its bytes.
    """

    name: str
    data: bytes


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
        length = dict(scope["headers"]).get(b"content-length", b"")
        declared = int(length) if length.isdigit() else 0
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
                413, f"the body is larger than {self._max_bytes} bytes; send less at once"
            )


async def read_image(request: Request) -> bytes:
    """Return the bytes of the image that a request carries, as a form's file or as its body.

    Raises:
        HTTPException: 415 for a request of another type; 400 for one without exactly one image.
    """
    kind = _kind(request)
    if kind == FORM:
        uploads = await _read_form(request, 1)
        if len(uploads) > 1:
            raise HTTPException(
                400, f"the form has {len(uploads)} images; send one, or all to /classify_batch"
            )
        data = uploads[0].data
    elif kind.startswith("image/") or kind == "application/octet-stream":
        data = await request.body()
    else:
        raise HTTPException(
            415,
            f"the content type must be {FORM} or image/*, but is {kind or 'missing'}; "
            f"send the file as the form field {FIELD!r}",
        )
    if not data:
        raise HTTPException(400, "the image is empty; send the bytes of an image file")
    return data


async def read_images(request: Request, most: int) -> list[Upload]:
    """Return the images of a form, in their order. Some may be empty.

    Args:
        request: With a form that has one field `image` or more.
        most: Images that are taken.

    Raises:
        TooManyImages: 413: There are more.
        HTTPException: 415 for a request that is no form; 400 for one without an image.
    """
    kind = _kind(request)
    if kind != FORM:
        raise HTTPException(
            415,
            f"the content type must be {FORM}, but is {kind or 'missing'}; send each file as a "
            f"form field {FIELD!r}",
        )
    uploads = await _read_form(request, most)
    if len(uploads) > most:
        raise TooManyImages(413, f"more than {most} images came at once; send fewer")
    return uploads


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


class _Form(MultiPartParser):
    """A form in memory: its size is bounded already, and a file would need a disk with space."""

    spool_max_size = 0  # never
    most_parts = 0
    parts = 0

    def on_part_begin(self) -> None:
        self.parts += 1
        if self.parts > self.most_parts:
            raise TooManyImages(413, f"the form has more than {self.most_parts} parts; send fewer")
        super().on_part_begin()


async def _read_form(request: Request, images: int) -> list[Upload]:
    async with aclosing(request.stream()) as stream:
        parser = _Form(request.headers, stream)
        parser.most_parts = images + MAX_FIELDS
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise HTTPException(400, f"the form cannot be read: {error.message}") from None
    values = form.getlist(FIELD)
    try:
        files = [value for value in values if isinstance(value, UploadFile)]
        if not files or len(files) < len(values):
            raise HTTPException(400, _why_no_image(form))
        return [Upload(file.filename or "", await file.read()) for file in files]
    finally:
        await form.close()


def _why_no_image(form: FormData) -> str:
    if FIELD in form:
        return f"the field {FIELD!r} must be a file, but is text; send it with a file name"
    found = ", ".join(repr(name) for name in form) or "none"
    return f"the form has no field {FIELD!r}; its fields: {found}; send the image as {FIELD!r}"
