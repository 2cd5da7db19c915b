"""The page as `bentoml serve` sends it: from the repository's root, and out of a Bento."""

from pathlib import Path

import httpx
import pytest

from browser import chromium_page
from clones import Clone, make_clone
from served import encoded, pin, post, served, store
from vitrine.serving.page import FILES, HOME

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TAG = "vitrine:v1-page"


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Clone:
    """A clone that pins the tiny bundle."""
    clone = make_clone(tmp_path_factory.mktemp("page"))
    store(clone, TAG, tiny_bundle, "1")
    pin(clone.path, TAG)
    return clone


def check_page(client: httpx.Client) -> None:
    """Let the page answer an image and draw its heat map."""
    said = post(client, encoded("JPEG")).json()
    address = str(client.base_url).rstrip("/")
    with chromium_page(allow=address) as visit:
        page = visit.page
        page.goto(address)
        page.get_by_text("vitrine 1", exact=True).wait_for()
        file = {"name": "shoe.jpg", "mimeType": "image/jpeg", "buffer": encoded("JPEG")}
        page.locator("#files").set_input_files([file])
        for head, title in (("style", "Style"), ("category", "Category")):
            best = said[head]["top"][0]["name"]["en"]
            page.get_by_role("img", name=f"{title}: {best} ").wait_for()
            page.get_by_role("radio", name=title).check()
            page.get_by_role("img", name=f"Bright: what speaks for “{best}” ({title})").wait_for()
        assert (visit.refused, visit.faults) == ([], [])


def test_the_page_answers_from_the_repository(packaged: Clone) -> None:
    with served(folder=packaged.path, env=packaged.env) as (client, _):
        check_page(client)


def test_the_page_answers_out_of_a_bento(packaged: Clone, tmp_path: Path) -> None:
    said = packaged.run("bentoml", "build", "--output", "tag")
    tag = said.strip().removeprefix("__tag__:")
    (folder,) = Path(packaged.env["BENTOML_HOME"]).glob("bentos/*/*/src/vitrine/serving/static")
    assert {file.name for file in folder.iterdir()} == set(FILES)
    with served(tag, folder=tmp_path, env=packaged.env | {"PYTHONPATH": ""}) as (client, _):
        assert client.get("/").headers["Content-Type"].startswith(FILES[HOME])
        check_page(client)
