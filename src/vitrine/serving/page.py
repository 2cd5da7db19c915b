"""The page on which a person tries the service: a few files that ask for nothing from elsewhere."""

import hashlib
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HOME = "index.html"
FILES = {
    HOME: "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "requests.js": "text/javascript",
    "result.js": "text/javascript",
    "texts.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""The page's files and their media types."""

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser lets the page do, whatever got into it."""

HEADERS = {
    # Kept by the browser, but asked about each time: a new version shows at once.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_routes() -> list[Route]:
    """Read the page's files and return the routes that send them: `/` and `/static/<file>`."""
    routes = []
    folder = resources.files("vitrine.serving").joinpath("static")
    for name, media_type in FILES.items():
        path = "/" if name == HOME else f"/static/{name}"
        routes.append(_route(path, folder.joinpath(name).read_bytes(), media_type))
    return routes


def _route(path: str, content: bytes, media_type: str) -> Route:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**HEADERS, "ETag": tag}

    async def send(request: Request) -> Response:
        if _knows(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return Route(path, send)


def _knows(request: Request, tag: str) -> bool:
    """Say whether the client has this content (RFC 9110, 13.1.2), also by a proxy's weak tag."""
    known = request.headers.get("if-none-match", "").split(",")
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in known)
