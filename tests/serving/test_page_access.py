"""The page for everyone: in two languages, in light and dark, by keyboard, on a phone."""

import re
from typing import Any, Literal

import httpx
import pytest

from page_visit import TEXT, answered, give, image, reload, result, visiting
from vitrine.bundle.runtime import Runtime
from vitrine.serving.model import PackagedModel

LANGUAGES = ("English", "中文")


FAINT_TEXTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return "rgb(255 255 255)";
  };
  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    texts += 1;
    const pair = [luminance(getComputedStyle(node).color), luminance(ground(node))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) faint.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return { texts, faint };
}"""


def unsure(route: Any) -> dict[str, Any]:
    answer: dict[str, Any] = route.fetch().json()
    for head in ("style", "category"):
        answer[head]["unsure"] = True
    return answer


@pytest.mark.parametrize(
    ("reads", "tag", "title"),
    [("en-GB", "en", "The model"), ("fr", "en", "The model"), ("zh-TW", "zh-CN", "模型")],
)
def test_the_page_speaks_the_browsers_language(
    client: httpx.Client, reads: str, tag: str, title: str
) -> None:
    with visiting(client, language=reads) as visit:
        visit.page.get_by_role("heading", name=title, exact=True).wait_for()
        assert visit.page.locator("html").get_attribute("lang") == tag


def test_another_language_changes_all_texts_and_is_remembered(
    client: httpx.Client, packaged: PackagedModel, jpeg: bytes
) -> None:
    taxonomy = Runtime(packaged.folder).info.taxonomy
    with visiting(client) as visit:
        page = visit.page
        page.get_by_text("vitrine 7").wait_for()
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        found.get_by_role("radio", name="Style").check()
        found.get_by_role("img", name="Bright").wait_for()
        page.get_by_role("button", name="中文").click()
        assert page.get_by_role("button", name="中文").get_attribute("aria-pressed") == "true"
        bars = found.get_by_role("img", name="风格: ").get_attribute("aria-label")
        assert any(f"{style.display['zh']} " in bars for style in taxonomy.styles)
        for category in taxonomy.categories:
            assert page.locator("#knows").get_by_text(category.display["zh"]).count() == 1
        said = page.locator("body").inner_text()
        for word in re.findall(r"[A-Za-z]{3,}", said.partition("\n模型\n")[0]):
            assert word in {"Vitrine", "English", "JPEG", "PNG", "WebP", "JSON", "shoe", "jpg"}
        reload(page)
        page.get_by_role("heading", name="模型", exact=True).wait_for()
        assert page.locator("html").get_attribute("lang") == "zh-CN"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing(client: httpx.Client, jpeg: bytes, language: str) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.get_by_role("button", name=language).click()
        give(page, image("shoe.jpg", jpeg), TEXT)
        page.locator('[aria-busy="true"]').first.wait_for(state="detached")
        for node in page.locator("[data-text]").all():
            assert node.text_content()
        for node in page.locator("[aria-label]").all():
            assert node.get_attribute("aria-label")
        assert "undefined" not in page.locator("html").evaluate("(one) => one.outerHTML")


def test_the_texts_before_any_script_are_the_english_ones(client: httpx.Client) -> None:
    plain = "(all) => all.map((one) => one.textContent)"
    with visiting(client) as visit:
        page = visit.page
        spoken = page.locator("[data-text]").evaluate_all(plain)
        page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        reload(page)
        assert page.locator("[data-text]").evaluate_all(plain) == spoken


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(
    client: httpx.Client, jpeg: bytes, scheme: Literal["light", "dark"]
) -> None:
    with visiting(client, scheme=scheme) as visit:
        page = visit.page
        page.emulate_media(reduced_motion="reduce")
        page.route("**/classify", lambda route: route.fulfill(json=unsure(route)))
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        assert found.get_by_text("unsure", exact=True).count() == 2
        page.unroute("**/classify")
        give(page, TEXT)
        result(page, "note.jpg").get_by_text("this is text").wait_for()
        page.get_by_text("vitrine 7").wait_for()
        seen = page.evaluate(FAINT_TEXTS)
        assert seen["texts"] > 40
        assert seen["faint"] == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (int(re.findall(r"\d+", ground)[0]) < 60) == (scheme == "dark")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    client: httpx.Client, jpeg: bytes
) -> None:
    focused = """() => {
      const node = document.activeElement;
      const shown = node.matches(".choice input") ? node.nextElementSibling : node;
      const name = node.getAttribute("aria-label") ?? (node.innerText.trim() || node.value);
      return [name, getComputedStyle(shown).outlineStyle];
    }"""
    with visiting(client) as visit:
        page = visit.page
        page.get_by_text("vitrine 7").wait_for()
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        found.get_by_role("radio", name="Style").check()
        found.get_by_role("slider").wait_for()
        page.locator("body").evaluate("() => document.activeElement.blur()")
        page.get_by_role("button", name="English").focus()
        stops = []
        for _ in range(11):
            stops.append(page.evaluate(focused))
            page.keyboard.press("Tab")
        assert [name for name, _ in stops] == [
            *LANGUAGES,
            "Choose images",
            "Remove all",
            "style",
            "Strength",
            "Copy as JSON",
            "Remove shoe.jpg",
            "The answer as JSON",
            "Description of the API",
            stops[-1][0],
        ]
        assert {outline for _, outline in stops[1:-1]} == {"solid"}
        with page.expect_file_chooser():
            page.get_by_role("button", name="Choose images").press("Enter")


def test_images_are_removed_and_focus_goes_on(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        give(page, *(image(f"{name}.jpg", jpeg) for name in "abc"))
        answered(page, "c.jpg")
        focus = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
        for name, next_name in (("b", "Remove c.jpg"), ("c", "Remove a.jpg"), ("a", "pick")):
            page.get_by_role("button", name=f"Remove {name}.jpg").click()
            assert page.evaluate(focus) == next_name
        assert page.locator(".result").count() == 0
        give(page, *(image(f"{name}.jpg", jpeg) for name in "de"))
        page.get_by_role("button", name="Remove all").click()
        page.get_by_role("status").filter(has_text="All images were removed").wait_for()
        assert page.locator(".result").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_narrow_phone_needs_no_sideways_scrolling(
    client: httpx.Client, jpeg: bytes, language: str
) -> None:
    with visiting(client, width=360) as visit:
        page = visit.page
        page.get_by_role("button", name=language).click()
        # This machine may have no Chinese font; the boxes in its place are narrower than that.
        if language == "中文":
            page.evaluate("document.body.style.letterSpacing = '.45em'")
        page.locator("#lineage code").first.wait_for()
        long_name = "a-name-without-any-space-" * 6 + ".jpg"
        give(page, image(long_name, jpeg), {**TEXT, "name": f"x{long_name}"})
        page.locator('[aria-busy="true"]').first.wait_for(state="detached")
        page.locator('input[value="style"]').first.check()
        page.locator(".opacity").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_do_not_want_it(
    client: httpx.Client,
    jpeg: bytes,
    motion: Literal["reduce", "no-preference"],
    moves: bool,
) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.emulate_media(reduced_motion=motion)
        give(page, image("shoe.jpg", jpeg))
        answered(page, "shoe.jpg")
        names = "(all) => all.map((one) => getComputedStyle(one).animationName)"
        found = page.locator(".result, .fill").evaluate_all(names)
        assert any(name != "none" for name in found) == moves
