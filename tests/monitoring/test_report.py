"""What is said of a comparison: on the terminal, in a pull request, as numbers, as a page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from markdown_it import MarkdownIt

from browser import chromium_page
from monitored import DIGEST, World, find
from vitrine.core.errors import DataError
from vitrine.monitoring.limits import DEFAULTS
from vitrine.monitoring.page import render
from vitrine.monitoring.reference import Reference
from vitrine.monitoring.report import Report, judge


def report(world: World, count: int = 600, digest: str = DIGEST) -> Report:
    log = world.entries(count, seed=2)
    for number, entry in enumerate(log[:30]):
        entry |= {"version": "6", "bundle_digest": "6" * 64, "time": 1040.0 + number / 10}
    window = find(log)
    assert window is not None
    return judge(window, Reference(digest, "d" * 32, World().sample(800, seed=1)), DEFAULTS)


DARKER = World(brightness=90)


def test_a_drift_is_named_with_figures_and_circumstances() -> None:
    said = report(DARKER).describe(Path("reports/monitor"))
    for words in (
        "570 answers of version 7 (bundle aaaaaaaaaaaa), 1970-01-01 00:17 to 1970-01-01 00:26 UTC.",
        "for 800 images of val and test of the data dddddddddddd",
        "a distance of at least 0.15 (0.65 for the embedding) with a p-value below 0.01",
        "30 of version 6",
        "Drift: brightness.",
        "Report: reports/monitor/index.html",
    ):
        assert words in said
    (line,) = [line for line in said.splitlines() if line.startswith("brightness")]
    assert "DRIFT" in line
    assert "median 148 → 9" in line


@pytest.mark.parametrize(
    ("world", "count", "verdict"),
    [(World(), 600, "No drift."), (DARKER, 100, "Not enough to say.")],
)
def test_no_drift_and_too_little_are_said(world: World, count: int, verdict: str) -> None:
    found = report(world, count)
    assert verdict in found.describe(Path("reports/monitor"))
    assert found.metrics()["drift"] is False
    assert found.metrics()["enough"] is (count == 600)


def test_numbers_for_scripts_are_json() -> None:
    metrics = json.loads(json.dumps(report(DARKER).metrics(), allow_nan=False))
    assert metrics["drift"] is True
    assert metrics["version"] == "7"
    assert metrics["others"] == {"6": 30}
    assert metrics["limits"] == {
        "distance": 0.15, "auc": 0.65, "chance": 0.01, "min_images": 200,
    }  # fmt: skip
    drifted = {name for name, one in metrics["features"].items() if one["drifted"]}
    assert drifted == {"brightness"}


def test_the_comment_is_a_table_of_markdown() -> None:
    text = report(DARKER).markdown()
    assert "**Drift: brightness.**" in text
    assert "\n| what | result | distance | limit | p-value | images | what changed most |\n" in text
    assert "\n| brightness | DRIFT | 0." in text


def test_another_model_than_the_reference_is_refused() -> None:
    with pytest.raises(DataError, match="answers of version 7 .* reference is of bundle bbbb"):
        report(World(), digest="b" * 64)


def test_labels_are_text_on_the_page_and_in_the_comment() -> None:
    log = World().entries(600, seed=2)
    for entry in log[:300]:
        entry["style"]["label"] = "<script>alert(1)</script>"
    window = find(log)
    assert window is not None
    found = judge(window, Reference(DIGEST, "d", World().sample(800, seed=1)), DEFAULTS)
    page = render(found)
    assert "<script" not in page + found.markdown()
    assert "&lt;script&gt;alert(1)" in page


def test_a_label_is_neither_markdown_nor_a_mention_in_the_comment() -> None:
    log = World().entries(600, seed=2)
    for entry in log[:300]:
        entry["style"]["label"] = "[x](https://example.org) www.example.org\n| @somebody *a*"
    window = find(log)
    assert window is not None
    found = judge(window, Reference(DIGEST, "d", World().sample(800, seed=1)), DEFAULTS)
    text = found.markdown()
    assert text.count("\n| ") == len(found.rows) + 2
    tokens = MarkdownIt().enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in inline} == {"text", "strong_open", "strong_close"}
    shown = [token.content.replace("\u200b", "") for token in inline]
    assert any("[x](https://example.org) www.example.org | @somebody *a*" in one for one in shown)
    # GitHub makes links and mentions of these even in plain text.
    assert not any(words in text for words in ("://", "www.", "@somebody"))


def test_embeddings_of_another_length_than_the_reference_are_refused() -> None:
    window = find(World().entries(300, seed=2))
    assert window is not None
    sample = World().sample(300, seed=1)
    shorter = replace(sample, embeddings=sample.embeddings[:, 1:])
    with pytest.raises(DataError, match="log have 32 numbers, but those of the reference 31"):
        judge(window, Reference(DIGEST, "d", shorter), DEFAULTS)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_needs_nothing_else(
    scheme: Literal["light", "dark"], width: int, tmp_path: Path
) -> None:
    path = tmp_path / "index.html"
    path.write_text(render(report(DARKER)), encoding="utf-8")
    with chromium_page(width=width, scheme=scheme) as visit:
        visit.page.goto(path.as_uri())
        assert visit.page.locator("h2").first.inner_text() == "brightness drift"
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.refused == []
    assert visit.faults == []
