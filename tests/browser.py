"""A headless Chromium without a network, for the tests of pages."""

import re
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
        refused: The addresses outside what may be loaded that were asked for and not answered.
        faults: Messages of errors and warnings: the console's, scripts', missing files'.
    """

    page: Any
    refused: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@contextmanager
def chromium_page(
    width: int = 1280,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
    allow: str = "",
    login: tuple[str, str] | None = None,
) -> Iterator[Visit]:
    """Open a page in which only files can be loaded; without Chromium, the test is skipped.

    Args:
        width: Of the window in pixels.
        height: Of the window in pixels.
        scheme: The colours that the page is told to prefer.
        allow: The address of a server of this machine that may be loaded too.
        login: The user name and password that the server asks the browser for.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    known = {"username": login[0], "password": login[1]} if login else None
    local = (*LOCAL, f"{allow}/") if allow else LOCAL
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            http_credentials=known,
        )
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page())
        context.route("**/*", lambda route: _answer(route, visit, local))
        visit.page.on("console", lambda message: _listen(message, visit))
        visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
        visit.page.on("requestfailed", lambda request: visit.faults.append(f"no {request.url}"))
        try:
            yield visit
        finally:
            context.close()
            browser.close()


def promote_in_ui(page: Any, address: str, model: str, number: str) -> None:
    """Give a version the alias champion as a person does in MLflow's UI, and see it there.

    Args:
        page: Playwright's page, which may load what is at the address.
        address: Of the MLflow server.
        model: The name of the registered model.
        number: The version's.
    """
    page.goto(f"{address}/#/models/{model}/versions/{number}")
    page.get_by_role("heading", name=f"Version {number}", exact=True).wait_for(timeout=30_000)
    page.get_by_title(re.compile("^(Add|Edit) aliases$")).click()
    dialog = page.get_by_role("dialog", name=f"Add/Edit alias for model version {number}")
    aliases = dialog.get_by_role("combobox")
    aliases.fill("champion")
    aliases.press("Enter")
    dialog.get_by_role("button", name="Save aliases").click()
    dialog.wait_for(state="hidden")
    page.get_by_role("status").filter(has_text="champion").wait_for()


def _answer(route: Any, visit: Visit, local: tuple[str, ...]) -> None:
    if route.request.url.startswith(local):
        route.continue_()
    else:
        visit.refused.append(route.request.url)
        route.abort()


def _listen(message: Any, visit: Visit) -> None:
    if message.type in {"error", "warning"}:
        visit.faults.append(message.text)
