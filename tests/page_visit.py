"""A person's visit to the service's page, in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx

from browser import Visit, chromium_page

TEXT = {"name": "note.jpg", "mimeType": "image/jpeg", "buffer": b"this is only text"}


@contextmanager
def visiting(
    client: httpx.Client,
    width: int = 1280,
    scheme: Literal["light", "dark"] = "light",
    language: str = "en-GB",
) -> Iterator[Visit]:
    """Open the page in a browser of someone who reads a language."""
    address = str(client.base_url).rstrip("/")
    with chromium_page(width, 900, scheme, allow=address) as visit:
        visit.page.add_init_script(
            f"Object.defineProperty(navigator, 'language', {{get: () => {language!r}}})"
        )
        visit.page.goto(address)
        yield visit
        assert visit.refused == []
        # That a request was refused is told by the browser itself, whatever the page does.
        assert [fault for fault in visit.faults if "Failed to load resource" not in fault] == []


def image(name: str, data: bytes) -> dict[str, Any]:
    """Return a file as a browser is given it."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def give(page: Any, *files: dict[str, Any]) -> None:
    """Choose files on the page."""
    page.locator("#files").set_input_files(list(files))


def reload(page: Any) -> None:
    """Load the page again."""
    # What is still on its way would count as failed.
    page.wait_for_load_state("networkidle")
    page.reload()


def result(page: Any, name: str) -> Any:
    """Return what the page shows of a file."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def answered(page: Any, name: str) -> Any:
    """Return what the page shows of a file, once it is answered."""
    found = result(page, name)
    found.get_by_role("heading", name="Style").wait_for()
    return found
