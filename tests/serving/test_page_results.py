"""What a person does with images on the page, with the real app behind it."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import PIL.Image

from page_visit import TEXT, answered, give, image, result, visiting

TRANSFER = """(files) => {
  const transfer = new DataTransfer();
  for (const { name, data } of files) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  }
  return transfer;
}"""


COPY_PICTURE = """async () => {
  const picture = await new OffscreenCanvas(40, 40).getContext("2d").canvas.convertToBlob();
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
}"""


def transfer(page: Any, **files: bytes) -> Any:
    listed = [{"name": name, "data": b64encode(data).decode()} for name, data in files.items()]
    return page.evaluate_handle(TRANSFER, listed)


def test_chosen_images_are_answered_as_the_service_answers(
    client: httpx.Client, jpeg: bytes
) -> None:
    said = client.post("/classify", files={"image": jpeg}).json()
    with visiting(client) as visit:
        page = visit.page
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose images").click()
        chooser.value.set_files([image("shoe.jpg", jpeg), image("lamp.jpg", jpeg)])
        for name in ("shoe.jpg", "lamp.jpg"):
            found = answered(page, name)
            assert found.get_by_role("img", name=name).evaluate("(one) => one.naturalWidth") == 40
            for head, title in (("style", "Style"), ("category", "Category")):
                best = said[head]["top"][0]
                bars = found.get_by_role("img", name=f"{title}: ").get_attribute("aria-label")
                assert bars.startswith(f"{title}: {best['name']['en']} ")
                assert bars.count("%") == len(said[head]["top"])
                badges = found.locator(".head", has_text=title).get_by_text("unsure", exact=True)
                assert badges.count() == said[head]["unsure"]
        assert page.get_by_text("2 images done").is_visible()
        heard = page.get_by_role("log").inner_text()
        assert f"shoe.jpg: Style {said['style']['top'][0]['name']['en']}" in heard
        assert visit.faults == []


def test_images_are_dropped_and_pasted(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        files = transfer(page, **{"dropped.jpg": jpeg})
        page.locator("body").dispatch_event("dragover", {"dataTransfer": files})
        assert page.locator("body.dragged").count() == 1
        page.locator("body").dispatch_event("drop", {"dataTransfer": files})
        assert page.locator("body.dragged").count() == 0
        answered(page, "dropped.jpg")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate(COPY_PICTURE)
        page.keyboard.press("Control+V")
        answered(page, "image.png")
        page.evaluate("navigator.clipboard.writeText('some words')")
        page.keyboard.press("Control+V")
        page.get_by_role("status").filter(has_text="no image on the clipboard").wait_for()


def test_a_bad_image_is_refused_alone_and_in_words(client: httpx.Client, jpeg: bytes) -> None:
    hostile = "<img src=x onerror=alert(1)>.jpg"
    with visiting(client) as visit:
        page = visit.page
        give(page, TEXT, image("good.jpg", jpeg), {**TEXT, "name": hostile})
        refused = result(page, "note.jpg").get_by_text("this is text, not an image")
        refused.wait_for()
        answered(page, "good.jpg")
        result(page, hostile).get_by_text("this is text").wait_for()
        assert page.get_by_role("log").get_by_text("note.jpg: The image cannot be used").count()
        page.get_by_role("button", name="中文").click()
        result(page, "note.jpg").get_by_text("无法使用此图片").wait_for()
        assert refused.get_attribute("lang") == "en"


def test_the_heat_map_lies_on_the_image_as_strong_as_told(
    client: httpx.Client, jpeg: bytes
) -> None:
    with visiting(client) as visit:
        page = visit.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        label = found.locator(".label").first.inner_text()
        found.get_by_role("radio", name="Style").check()
        heat = found.get_by_role("img", name=f"Bright: what speaks for “{label}” (Style)")
        heat.wait_for()
        assert heat.evaluate("(one) => [one.naturalWidth, one.naturalHeight]") == [32, 32]
        assert heat.bounding_box() == found.get_by_role("img", name="shoe.jpg").bounding_box()
        slider = found.get_by_role("slider", name="Strength")
        for key, opacity in (("Home", "0"), ("ArrowRight", "0.01"), ("End", "1")):
            slider.press(key)
            assert heat.evaluate("(one) => one.style.opacity") == opacity
        found.get_by_role("radio", name="Category").check()
        found.get_by_role("img", name="(Category)").wait_for()
        found.get_by_role("radio", name="Off").check()
        assert found.locator(".map").is_hidden()
        assert slider.is_hidden()
        found.get_by_role("radio", name="Style").check()
        heat.wait_for()
        maps = [one for one in asked if one.startswith("explain")]
        assert maps[0] == f"explain?head=style&label={label.lower()}"
        assert len(maps) == 2


def test_a_network_without_maps_says_so(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.route(
            "**/explain?*", lambda route: route.fulfill(status=409, json={"error": "no maps here"})
        )
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        found.get_by_role("radio", name="Style").check()
        found.get_by_role("status").filter(has_text="No maps here").wait_for()
        assert found.locator(".map").is_hidden()


def test_a_head_without_labels_is_left_out(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.route(
            "**/classify",
            lambda route: route.fulfill(json={**route.fetch().json(), "category": None}),
        )
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        assert found.get_by_role("heading", name="Category").count() == 0
        assert found.get_by_role("radio", name="Category").is_hidden()


def test_the_answer_is_copied_as_json(client: httpx.Client, jpeg: bytes) -> None:
    with visiting(client) as visit:
        page = visit.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        give(page, image("shoe.jpg", jpeg))
        found = answered(page, "shoe.jpg")
        found.get_by_role("button", name="Copy as JSON").click()
        found.get_by_role("button", name="Copied").wait_for()
        copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
        found.get_by_text("The answer as JSON").click()
        assert json.loads(found.locator("pre").inner_text()) == copied
        said = client.post("/classify", files={"image": jpeg}).json()
        assert {**copied, "request_id": ""} == {**said, "request_id": ""}


def test_a_picture_in_a_format_browsers_lack_is_answered_all_the_same(
    client: httpx.Client, picture: PIL.Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "shoe.tiff"
    picture.save(path)
    with visiting(client) as visit:
        visit.page.locator("#files").set_input_files(path)
        answered(visit.page, "shoe.tiff")
        result(visit.page, "shoe.tiff").get_by_text("cannot show the image").wait_for()
