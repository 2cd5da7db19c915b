"""A headless Chromium without a network, for the tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
LOCAL = ("file:", "data:", "blob:", "about:")


@dataclass
class Visit:
    """A page in a browser, and what went wrong on it.

    Attributes:
        page: Playwright's page.
        refused: The addresses outside this machine's files that were asked for and not answered.
        faults: Messages of errors and warnings: the console's, scripts', missing files'.
    """

    page: Any
    refused: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@contextmanager
def chromium_page(
    width: int = 1280, height: int = 900, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Visit]:
    """Open a page in which only files can be loaded; without Chromium, the test is skipped.

    Args:
        width: Of the window in pixels.
        height: Of the window in pixels.
        scheme: The colours that the page is told to prefer.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page())
        context.route("**/*", lambda route: _answer(route, visit))
        visit.page.on("console", lambda message: _listen(message, visit))
        visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
        visit.page.on("requestfailed", lambda request: visit.faults.append(f"no {request.url}"))
        try:
            yield visit
        finally:
            context.close()
            browser.close()


def _answer(route: Any, visit: Visit) -> None:
    if route.request.url.startswith(LOCAL):
        route.continue_()
    else:
        visit.refused.append(route.request.url)
        route.abort()


def _listen(message: Any, visit: Visit) -> None:
    if message.type in {"error", "warning"}:
        visit.faults.append(message.text)
