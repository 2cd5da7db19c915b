import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.machinery import ModuleSpec
from pathlib import Path

import great_expectations as gx
import pandas as pd
import pytest
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from browser import Visit, chromium_page
from vitrine.core.errors import VitrineError
from vitrine.quality import data_docs
from vitrine.quality.data_docs import ASSETS, make_offline, offline_page

between = gx.expectations.ExpectColumnValuesToBeBetween
SUITES = {
    "sizes": [
        between(column="width", min_value=5, description="every image is wide enough"),
        between(column="width", min_value=1, description="no image is empty"),
        gx.expectations.ExpectColumnValuesToNotBeNull(
            column="image", description="every row has a file"
        ),
    ],
    "names": [
        gx.expectations.ExpectColumnValuesToBeUnique(
            column="image", description="every row has its own file"
        )
    ],
    # Only an expectation of this kind comes with a chart.
    "shares": [
        gx.expectations.ExpectColumnKLDivergenceToBeLessThan(
            column="style",
            partition_object={"values": ["old", "new"], "weights": [0.1, 0.9]},
            threshold=0.1,
            description="the styles are those of before",
        )
    ],
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data Docs as Great Expectations renders them, with expectations that are met and not met."""
    site = tmp_path_factory.mktemp("rendered") / "docs"
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)}
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            data_docs_sites={"tests": {"class_name": "SiteBuilder", "store_backend": backend}},
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    frame = pd.DataFrame(
        {"image": ["a", "b", "c"], "width": [9, 4, 3], "style": ["old", "old", "new"]}
    )
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("images")
    batch = asset.add_batch_definition_whole_dataframe("all")
    for name, expectations in SUITES.items():
        suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
        validation = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        checkpoint = gx.Checkpoint(
            name=name,
            validation_definitions=[context.validation_definitions.add(validation)],
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": ["image"],
            },
        )
        context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    context.build_data_docs()
    return site


@pytest.fixture(scope="module")
def site(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without the network; for reading only."""
    folder = tmp_path_factory.mktemp("offline") / "docs"
    shutil.copytree(rendered, folder)
    make_offline(folder)
    return folder


class _Addresses(HTMLParser):
    """Collects what a page loads, and where its links go."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href", "srcset", "poster", "data"} and value:
                (self.links if tag == "a" else self.loaded).append(value)


def _is_outside(address: str) -> bool:
    return bool(re.match(r"([a-z]+:)?//", address))


def test_a_rendered_page_loads_from_the_network(rendered: Path) -> None:
    # Should this fail, Great Expectations may have become offline by itself.
    assert all(any(map(_is_outside, _Addresses(page).loaded)) for page in rendered.rglob("*.html"))


def test_no_page_loads_anything_from_outside(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) == 1 + 2 * len(SUITES)
    for page in pages:
        addresses = _Addresses(page)
        assert [address for address in addresses.loaded if _is_outside(address)] == []
        # Links to their makers may stay, but nothing that only advertises.
        assert {link for link in addresses.links if _is_outside(link)} <= {
            "https://greatexpectations.io"
        }
        assert "newsletter" not in page.read_text(encoding="utf-8")
    for sheet in [*pages, *site.rglob("*.css")]:
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*[\"']?\s*(https?:)?//|@import", text)


def test_what_pages_load_and_link_is_in_the_site(site: Path) -> None:
    for page in site.rglob("*.html"):
        addresses = _Addresses(page)
        assert addresses.loaded
        for address in [*addresses.loaded, *addresses.links]:
            if not address.startswith("#") and not _is_outside(address):
                assert (page.parent / address).resolve().is_relative_to(site.resolve())
                assert (page.parent / address).is_file(), f"{page}: {address}"


def test_assets_lie_once_in_the_site_and_nothing_is_left_unused(site: Path) -> None:
    assert {path.name for path in site.iterdir()} == {
        ASSETS,
        "expectations",
        "index.html",
        "validations",
    }
    names = {path.name for path in (site / ASSETS).iterdir()}
    page = (site / "index.html").read_text(encoding="utf-8")
    assert all(f"{ASSETS}/{name}" in page for name in names)
    assert sum(path.stat().st_size for path in (site / ASSETS).iterdir()) < 500_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<script src="https://a.example/b.js">x</script>y', "y"),
        ('<SCRIPT SRC="//a.example/b.js"></SCRIPT>y', "y"),
        ('<link href="http://a.example/b.css"/>y', "y"),
        ('<link rel="preload" href="local.css">', '<link rel="preload" href="local.css">'),
        ('<img src="https://a.example/b.png" alt="a &amp; b">', "a &amp; b"),
        ('<img src="https://a.example/logo.png?d=1" alt="x">', '<img src="up/logo.png" alt="x">'),
        ('<img src="c.png" srcset="c.png 1x, https://a.example/d.png 2x">', '<img src="c.png">'),
        ('<iframe src="https://a.example" title="a"></iframe>', '<iframe title="a"></iframe>'),
        ('<form action="https://a.example" id=f>', '<form id="f">'),
        ('<p style="background: url(https://a.example/b)">', '<p style="background: none">'),
        ("<style>@import 'https://a.example/b'; p {}</style>", "<style> p {}</style>"),
        ("<style>p { src: url( '//a.example' ) }</style>", "<style>p { src: none }</style>"),
        ("<footer>Buy <b>it</b></footer>y", "y"),
        ('x<footer>Never closed <img src="//a.example/b">', "x"),
        ('<a href="https://a.example">b</a>', '<a href="https://a.example">b</a>'),
        ("<p id=a>R&D &lt; 1 &copy x // http://a.example</p>", None),
        ("<img src=\"data:image/svg+xml,<svg xmlns='http://a.example'/>\">", None),
        ('<script>let a = "<footer>https://a.example</footer>";</script>', None),
    ],
)
def test_a_new_outside_address_does_not_slip_through(before: str, after: str | None) -> None:
    assert offline_page(before, "up/", {"logo.png"}) == (before if after is None else after)


def test_the_browser_is_told_to_load_nothing_else(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert text.index("Content-Security-Policy") < text.index("<link")


def test_without_the_libraries_the_error_says_what_to_install(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_docs, "find_spec", lambda name: None)
    with pytest.raises(VitrineError, match=r"bootstrap-flask, but it is not installed; install"):
        make_offline(rendered)
    other = ModuleSpec("flask_bootstrap", None, is_package=True)
    other.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(data_docs, "find_spec", lambda name: other)
    with pytest.raises(VitrineError, match=r"bootstrap4 has no css/bootstrap.min.css; install"):
        make_offline(rendered)
    assert not (rendered / ASSETS).exists()


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=["desktop", "phone"])
def visit(request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page on which nothing may go wrong."""
    scheme, width = request.param
    with chromium_page(width=width, scheme=scheme) as visit:
        yield visit
        assert visit.refused == []
        assert visit.faults == []


def _rows(visit: Visit) -> list[str]:
    names = visit.page.locator("#Validation-Results tbody tr:visible td:last-child")
    return [name.strip() for name in names.all_text_contents()]


def _result(site: Path, name: str) -> str:
    (page,) = (site / "validations" / name).rglob("*.html")
    return page.as_uri()


def test_the_index_leads_to_the_results(site: Path, visit: Visit) -> None:
    page = visit.page
    page.goto((site / "index.html").as_uri())
    assert sorted(_rows(visit)) == ["names", "shares", "sizes"]
    page.locator("tr.clickable-row", has_text="sizes").locator("i").click()
    for text in ("every image is wide enough", "no image is empty", "every row has a file"):
        page.get_by_text(text).wait_for(state="visible")
    page.get_by_role("link", name="sizes").click()
    page.wait_for_url("**/expectations/sizes.html")
    page.get_by_text("no image is empty").wait_for(state="visible")
    page.locator(".navbar-brand a").click()
    page.wait_for_url("**/index.html")
    page.get_by_role("tab", name="Expectation Suites").click()
    page.locator("#Expectation-Suites").get_by_role("link", name="names").click()
    page.get_by_text("every row has its own file").wait_for(state="visible")


def test_the_index_can_be_searched_filtered_and_sorted(site: Path, visit: Visit) -> None:
    page = visit.page
    page.goto((site / "index.html").as_uri())
    page.get_by_role("searchbox").first.fill("SIZ")
    assert _rows(visit) == ["sizes"]
    page.get_by_role("searchbox").first.fill("nowhere")
    assert page.get_by_text("Nothing found").is_visible()
    page.get_by_role("button", name="Clear Filters").click()
    assert len(_rows(visit)) == 3
    page.get_by_label("Filter by Status").select_option("Success")
    assert _rows(visit) == ["names"]
    page.get_by_label("Filter by Run Time").fill("2001-01-01")
    assert not page.get_by_role("link", name="names").is_visible()
    page.get_by_role("button", name="Clear Filters").click()
    page.get_by_role("button", name="Expectation Suite", exact=True).click()
    assert _rows(visit) == ["names", "shares", "sizes"]
    page.get_by_role("button", name="Expectation Suite", exact=True).click()
    assert _rows(visit) == ["sizes", "shares", "names"]


def test_a_result_unfolds_and_hides_what_is_met(site: Path, visit: Visit) -> None:
    page = visit.page
    page.goto(_result(site, "sizes"))
    assert page.get_by_role("img", name="failed").first.is_visible()
    version = page.get_by_text("Great Expectations Version")
    assert not version.is_visible()
    page.get_by_text("Show more info").click()
    version.wait_for(state="visible")
    page.get_by_text("Failed Only").click()
    page.get_by_text("no image is empty").wait_for(state="hidden")
    assert page.get_by_text("every image is wide enough").is_visible()
    page.get_by_text("Show All").click()
    page.get_by_text("no image is empty").wait_for(state="visible")


def test_a_chart_is_shown_as_a_table(site: Path, visit: Visit) -> None:
    visit.page.goto(_result(site, "shares"))
    assert visit.page.get_by_text("the styles are those of before").is_visible()
    chart = visit.page.locator("[id*=graph] table").first
    assert chart.get_by_role("cell", name="old").first.is_visible()


@pytest.mark.parametrize("name", ["index.html", "expectations/sizes.html", "validations"])
def test_pages_fit_the_window(name: str, site: Path, visit: Visit) -> None:
    visit.page.goto(_result(site, "sizes") if name == "validations" else (site / name).as_uri())
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
