"""How the page asks the service: a few at a time, again when it is busy, with a key if need be."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from page_visit import answered, give, image, reload, result, visiting
from vitrine.bundle.runtime import Runtime
from vitrine.serving.app import create_app
from vitrine.serving.keys import new_key
from vitrine.serving.model import PackagedModel
from vitrine.serving.settings import Settings

Run = Callable[[Starlette], AbstractContextManager[httpx.Client]]


def limited(route: Any) -> dict[str, Any]:
    card: dict[str, Any] = route.fetch().json()
    card["image"]["max_bytes"] = 100
    return card


@pytest.fixture(scope="module")
def secret_and_client(packaged: PackagedModel, run_app: Run) -> Iterator[tuple[str, httpx.Client]]:
    """A key and a client of an app that asks for it."""
    secret, key = new_key("page")
    with run_app(create_app(packaged, Settings(keys=(key,)), None)) as client:
        yield secret, client


def test_a_file_above_the_limit_is_not_even_sent(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.route("**/model", lambda route: route.fulfill(json=limited(route)))
        reload(page)
        page.get_by_text("vitrine 7").wait_for()
        page.route("**/classify", lambda route: route.abort())
        give(page, image("large.jpg", jpeg))
        result(page, "large.jpg").get_by_text("larger than the service takes").wait_for()
        assert visit.faults == []


def test_few_requests_at_a_time_and_few_images(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        held: list[Any] = []
        page.route("**/classify", lambda route: held.append(route))  # noqa: PLW0108 - Playwright's
        give(page, *(image(f"{place}.jpg", jpeg) for place in range(53)))
        page.get_by_role("status").filter(has_text="3 were left out").wait_for()
        assert page.locator(".result").count() == 50
        for waiting in (4, 4, 4):
            page.wait_for_timeout(150)
            assert len(held) == waiting
            for route in held:
                route.continue_()
            held.clear()
            page.wait_for_timeout(150)
        page.get_by_text("of 50 done").wait_for()
        page.get_by_role("button", name="Remove all").click()
        page.unroute("**/classify")
        give(page, image("last.jpg", jpeg))
        answered(page, "last.jpg")
        visit.faults.clear()


def test_a_busy_service_is_asked_again(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        tries = []

        def busy_once(route: Any) -> None:
            tries.append(route)
            if len(tries) == 1:
                headers = {"Retry-After": "1"}
                route.fulfill(status=503, headers=headers, json={"error": "later"})
            else:
                route.continue_()

        page.route("**/classify", busy_once)
        give(page, image("shoe.jpg", jpeg))
        answered(page, "shoe.jpg")
        assert len(tries) == 2


def test_a_lost_connection_can_be_tried_again(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.route("**/classify", lambda route: route.abort())
        give(page, image("shoe.jpg", jpeg))
        result(page, "shoe.jpg").get_by_text("The service cannot be reached").wait_for()
        page.unroute("**/classify")
        result(page, "shoe.jpg").get_by_role("button", name="Try again").click()
        answered(page, "shoe.jpg")
        visit.faults.clear()


def test_the_model_is_described_and_described_anew_when_it_changes(
    client: httpx.Client, packaged: PackagedModel, jpeg: bytes
) -> None:
    info = Runtime(packaged.folder).info
    with visiting(client) as visit:
        page = visit.page
        model = page.get_by_role("region", name="The model")
        for fact in (
            "vitrine 7",
            info.digest,
            info.lineage.data_digest,
            info.lineage.git_commit,
            info.lineage.run_id,
            "January 1, 2026",
        ):
            model.get_by_text(fact).first.wait_for()
        newer = {"version": "8", "bundle_digest": "f" * 64}
        page.route(
            "**/classify",
            lambda route: route.fulfill(json={**route.fetch().json(), "model": newer}),
        )
        page.route("**/model", lambda route: route.fulfill(json={**route.fetch().json(), **newer}))
        give(page, image("shoe.jpg", jpeg))
        model.get_by_text("vitrine 8").wait_for()


def test_a_key_is_asked_for_and_kept_for_the_tab_only(
    secret_and_client: tuple[str, httpx.Client], jpeg: bytes
) -> None:
    secret, client = secret_and_client
    with visiting(client) as visit:
        page = visit.page
        ask = page.get_by_role("dialog", name="This service asks for an API key")
        ask.get_by_label("API key").fill("wrong")
        ask.get_by_role("button", name="Use this key").click()
        ask.get_by_role("alert").filter(has_text="does not accept this key").wait_for()
        ask.get_by_label("API key").fill(secret)
        ask.get_by_label("API key").press("Enter")
        page.get_by_text("vitrine 7").wait_for()
        reload(page)
        page.get_by_text("vitrine 7").wait_for()
        give(page, image("shoe.jpg", jpeg))
        answered(page, "shoe.jpg")
        assert secret in page.evaluate("Object.values(sessionStorage)")
        assert page.evaluate("Object.values(localStorage).concat(document.cookie)") == [""]


def test_who_has_no_key_is_told_so_once_and_may_enter_it_later(
    secret_and_client: tuple[str, httpx.Client], jpeg: bytes
) -> None:
    secret, client = secret_and_client
    with visiting(client) as visit:
        page = visit.page
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("alert").filter(has_text="asks for an API key").wait_for()
        give(page, *(image(f"{name}.jpg", jpeg) for name in "abcdef"))
        result(page, "f.jpg").get_by_text("A key is needed").wait_for()
        assert page.get_by_role("dialog").is_hidden()
        page.get_by_role("button", name="API key").click()
        page.get_by_role("dialog").get_by_label("API key").fill(secret)
        page.keyboard.press("Enter")
        for name in "abcdef":
            answered(page, f"{name}.jpg")
        page.get_by_text("vitrine 7").wait_for()
