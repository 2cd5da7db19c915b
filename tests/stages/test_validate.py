"""Faults planted in a clean catalogue, and the words in which `validate` names them."""

import csv
import json
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitrine import imaging
from vitrine.core.errors import DataError, ParamsError, ValidationFailed
from vitrine.core.manifest import Catalogue, ManifestWriter, Row, read_manifest
from vitrine.core.params import Params, ValidateParams
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality.facts import read_facts
from vitrine.quality.quarantine import restore, set_aside
from vitrine.stages import validate

IMAGES = 36


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from vitrine.demo import draw_catalogue

    root = tmp_path_factory.mktemp("drawn") / "data"
    draw_catalogue(root, images=IMAGES, size=32, seed=5)
    return root


@pytest.fixture
def data(drawn: Path, workplace: Path) -> Path:
    """A clean catalogue as data/ of the working directory."""
    shutil.copytree(drawn, workplace / "data")
    return Path("data")


@pytest.fixture
def strict(params: Params) -> ValidateParams:
    """The repository's thresholds, without any tolerance.

    Two checks of pictures are off: the drawn images are small, and their grounds patterned.
    """
    return _section(
        params.validate_,
        severity={"blurry": "off", "repeated_pattern": "off"},
        integrity={"max_conflict_share": 0, "max_duplicate_share": 0},
        labels={"max_conflict_share": 0},
        quality={"tolerated_share": 0},
    )


def _section(section: ValidateParams, **changes: dict[str, Any]) -> ValidateParams:
    """Return a section with some keys of its groups changed."""
    tree = section.model_dump()
    for group, values in changes.items():
        tree[group] |= values
    return ValidateParams.model_validate(tree)


def _rows(data: Path) -> list[Row]:
    return list(read_manifest(data / "manifest.csv"))


def _write(data: Path, rows: list[Row]) -> None:
    with ManifestWriter(data / "manifest.csv") as writer:
        for row in rows:
            writer.write(row)


def _labelled(data: Path) -> int:
    """The place of a row that has both labels, not the first one."""
    return next(i for i, row in enumerate(_rows(data)) if i and row.style and row.category)


def _change(data: Path, place: int, **values: str) -> Row:
    rows = _rows(data)
    kept = {name: getattr(rows[place], name) for name in Row.__slots__}
    rows[place] = Row(**{**kept, **values})
    _write(data, rows)
    return rows[place]


def _failure(section: ValidateParams, params: Params) -> str:
    with pytest.raises(ValidationFailed) as caught:
        validate.run(section, params.image)
    return str(caught.value)


def _line(text: str, check: str) -> str:
    """The overview's line of a check, single spaces between its words."""
    return " ".join(next(line for line in text.splitlines() if line.startswith(check)).split())


def _metrics() -> dict[str, int]:
    metrics: dict[str, int] = json.loads(Path("reports/validate/metrics.json").read_text())
    return metrics


def test_a_clean_catalogue_passes(data: Path, strict: ValidateParams, params: Params) -> None:
    text = validate.run(strict, params.image).describe()
    assert text.startswith(f"26 checks of {IMAGES} images found nothing wrong\n")
    assert "FAILED" not in text
    assert "Not compared with an earlier version of the data: data.dvc is missing" in text
    assert "Look closer: reports/validate/index.html" in text
    metrics = _metrics()
    assert (metrics["images"], metrics["errors"], metrics["warnings"]) == (IMAGES, 0, 0)
    facts = list(read_facts(Path("artifacts/validate/facts.parquet")))
    assert [row.image for row in facts] == [row.image for row in _rows(data)]
    assert all(row.readable for row in facts)
    assert "nothing wrong" in Path("reports/validate/index.html").read_text(encoding="utf-8")
    assert Path("reports/validate/data_docs/index.html").is_file()


def test_running_twice_changes_no_metric_and_no_page(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    pages = []
    for _ in range(2):
        validate.run(strict, params.image)
        pages.append(Path("reports/validate/index.html").read_bytes())
    assert pages[0] == pages[1]


def _truncate(path: Path) -> str:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return r"the image is damaged or truncated \(.*\); replace the file or remove the row"


def _text(path: Path) -> str:
    path.write_text("Not a picture.\n")
    return (
        "this is text, not an image; save it as JPEG, PNG, WebP, GIF, BMP or TIFF; "
        "replace the file or remove the row"
    )


def _empty(path: Path) -> str:
    path.write_bytes(b"")
    return "the file is empty; replace the file or remove the row"


def _remove(path: Path) -> str:
    path.unlink()
    return "the file is missing; put it there or remove the row"


def _dangling(path: Path) -> str:
    path.unlink()
    path.symlink_to("nowhere.jpg")
    return "the file is missing; put it there or remove the row"


def _enormous(path: Path) -> str:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
    return (
        "the image has 30000 x 30000 pixels, more than the 64,000,000 that image.max_pixels "
        "allows; make it smaller; replace the file or remove the row"
    )


def _tiny(path: Path) -> str:
    noise = np.random.default_rng(0).integers(0, 255, (12, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return "the image has 40 x 12 pixels; replace it or remove the row"


@pytest.mark.parametrize(
    ("plant", "title", "metric"),
    [
        (_truncate, "every file can be decoded", "unreadable"),
        (_text, "every file can be decoded", "unreadable"),
        (_empty, "every file can be decoded", "unreadable"),
        (_enormous, "every file can be decoded", "unreadable"),
        (_remove, "the file of every row exists", "missing_files"),
        (_dangling, "the file of every row exists", "missing_files"),
        (_tiny, "the shorter side has at least 16 pixels", "too_small"),
    ],
)
def test_a_bad_file_is_named_with_line_path_and_reason(
    data: Path,
    strict: ValidateParams,
    params: Params,
    plant: Callable[[Path], str],
    title: str,
    metric: str,
) -> None:
    name = _rows(data)[3].image
    reason = plant(data / name)
    reason = reason if plant is _truncate else re.escape(reason)
    text = _failure(strict, params)
    assert text.startswith("26 checks of 36 images found 1 error")
    assert _line(text, metric) == f"{metric} integrity error FAILED 1 of 36"
    assert f"\nerror: {title}; fault found in 1 of 36\n" in text
    assert re.search(rf"^  manifest\.csv line 5, {re.escape(name)}: {reason}$", text, re.MULTILINE)
    assert _metrics()[metric] == 1
    assert _metrics()["errors"] == 1
    assert "set them aside with `vitrine quarantine`" in text


def test_a_format_that_is_not_allowed(data: Path, params: Params) -> None:
    name = _rows(data)[0].image
    Image.open(data / name).save(data / name, "PNG")
    text = _failure(_section(params.validate_, integrity={"formats": ["JPEG"]}), params)
    assert (
        f"manifest.csv line 2, {name}: the format is PNG, which validate.integrity.formats of "
        "params.yaml does not allow; convert the file or allow it there"
    ) in text
    assert f"{name}: the file is PNG, but its name says otherwise; rename it" in text


def test_an_unknown_category_is_named_with_its_line(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    row = _change(data, 10, category="clothes", title="Two\nlines")
    text = _failure(strict, params)
    assert (
        f"manifest.csv line 13, {row.image}: category 'clothes' is not in taxonomy.yaml; "
        "add it there or correct the row"
    ) in text


def test_an_orphan_file_is_a_warning(data: Path, strict: ValidateParams, params: Params) -> None:
    (data / "images" / "old").mkdir()
    shutil.copy(data / _rows(data)[0].image, data / "images" / "old" / "a.jpg")
    text = validate.run(strict, params.image).describe()
    assert text.startswith("26 checks of 36 images found 1 warning\n")
    assert (
        "  images/old/a.jpg: no row of manifest.csv or quarantine.csv names this file; add one or "
        "delete the file"
    ) in text
    assert _line(text, "orphan_files") == "orphan_files integrity warning FAILED 1 of 37"


def _duplicate(data: Path, **labels: str) -> tuple[Row, Row]:
    """Append a row with the bytes of a labelled one."""
    rows = _rows(data)
    first = rows[_labelled(data)]
    values = {"style": first.style, "category": first.category, "product": first.product} | labels
    again = Row("images/again.jpg", **values)
    shutil.copy(data / first.image, data / again.image)
    _write(data, [*rows, again])
    return first, again


def test_a_duplicate_with_another_label(data: Path, strict: ValidateParams, params: Params) -> None:
    line = _labelled(data) + 2
    style = _rows(data)[line - 2].style
    other = next(row.style for row in _rows(data) if row.style not in ("", style))
    first, again = _duplicate(data, style=other)
    text = _failure(strict, params)
    for here, there, at in ((again, first, line), (first, again, 38)):
        assert (
            f"{here.image}: the file has the same bytes as {there.image} (line {at}), but the "
            f"labels {here.style} / {here.category} instead of {there.style} / {there.category}; "
            "correct one of the two rows"
        ) in text


def test_few_conflicting_duplicates_are_tolerated_and_listed(data: Path, params: Params) -> None:
    style = _rows(data)[_labelled(data)].style
    other = next(row.style for row in _rows(data) if row.style not in ("", style))
    _duplicate(data, style=other)
    shares = {"max_conflict_share": 0.1, "max_duplicate_share": 0.1}
    validate.run(_section(params.validate_, integrity=shares), params.image)
    with Path("reports/validate/findings.csv").open(encoding="utf-8", newline="") as file:
        found = {row["check"]: row for row in csv.DictReader(file)}
    assert found["conflicting_duplicates"]["severity"] == "tolerated"
    assert found["conflicting_duplicates"]["image"] == "images/again.jpg"
    assert found["conflicting_duplicates"]["line"] == "38"


def test_a_duplicate_that_knows_less_is_no_conflict_but_a_repetition(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    first, _ = _duplicate(data, style="")
    text = validate.run(strict, params.image).describe()
    assert (
        f"manifest.csv line 38, images/again.jpg: the file has the same bytes as {first.image}; "
        "remove one of the two rows"
    ) in text
    assert "found 1 warning\n" in text


def test_a_rare_class_and_one_without_images(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    taxonomy = Taxonomy.load(data / "taxonomy.yaml")
    styles = (*taxonomy.styles, Label(name="art deco"), Label(name="rococo"))
    Taxonomy(styles=styles, categories=taxonomy.categories).save(data / "taxonomy.yaml")
    _change(data, _labelled(data), style="rococo")
    text = _failure(strict, params)
    advice = "but needs 3; add some, or remove the class from taxonomy.yaml and from its rows"
    assert f"\n  taxonomy.yaml: style 'art deco' has too few images: 0, {advice}\n" in text
    assert f"\n  taxonomy.yaml: style 'rococo' has too few images: 1, {advice}\n" in text


def test_a_forbidden_pair(data: Path, strict: ValidateParams, params: Params) -> None:
    taxonomy = Taxonomy.load(data / "taxonomy.yaml")
    row = _rows(data)[_labelled(data)]
    forbidden = Taxonomy(
        styles=taxonomy.styles,
        categories=taxonomy.categories,
        forbidden=((row.style, row.category),),
    )
    forbidden.save(data / "taxonomy.yaml")
    text = _failure(strict, params)
    assert (
        f"manifest.csv line {_labelled(data) + 2}, {row.image}: style {row.style!r} and category "
        f"{row.category!r} are a forbidden pair in taxonomy.yaml; correct the row or remove the "
        "pair there"
    ) in text


def test_low_contrast_and_a_long_image_are_warnings(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    first, second, *_ = (row.image for row in _rows(data))
    Image.new("RGB", (32, 32), "beige").save(data / first)
    noise = np.random.default_rng(0).integers(0, 255, (16, 100, 3), dtype=np.uint8)
    Image.fromarray(noise).save(data / second)
    text = validate.run(strict, params.image).describe()
    assert (
        f"manifest.csv line 2, {first}: hardly anything is to be seen: the grey levels deviate by "
        "0.0 only; replace the image or remove the row"
    ) in text
    assert (
        f"manifest.csv line 3, {second}: the image has 100 x 16 pixels, a side 6.2 times the "
        "other; crop it"
    ) in text
    assert _line(text, "low_information") == "low_information quality warning FAILED 1 of 36"
    assert _line(text, "odd_aspect") == "odd_aspect quality warning FAILED 1 of 36"
    page = Path("reports/validate/index.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,') >= 2


def test_too_many_missing_labels_are_a_warning(data: Path, params: Params) -> None:
    category = Taxonomy.load(data / "taxonomy.yaml").names("category")
    rows = [Row(row.image, row.style, category[i % 3]) for i, row in enumerate(_rows(data))]
    _write(data, rows[:17] + [Row(row.image, row.style) for row in rows[17:]])
    text = validate.run(params.validate_, params.image).describe()
    assert "  manifest.csv: 19 of 36 images have no category; label some\n" in text


def test_a_head_without_classes_needs_no_labels(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    taxonomy = Taxonomy.load(data / "taxonomy.yaml")
    Taxonomy(styles=(), categories=taxonomy.categories).save(data / "taxonomy.yaml")
    _write(data, [Row(row.image, "", row.category) for row in _rows(data)])
    assert "found nothing wrong\n" in validate.run(strict, params.image).describe()


def test_only_the_first_rows_are_printed_and_all_are_listed(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    for row in _rows(data)[:9]:
        (data / row.image).unlink()
    text = _failure(_section(strict, labels={"min_images_per_class": 1}), params)
    assert text.count("the file is missing") == 5
    assert "\n  ... and 4 more\n" in text
    listed = Path("reports/validate/findings.csv").read_text(encoding="utf-8")
    assert listed.count("the file is missing") == 9


def test_an_empty_data_folder(workplace: Path, params: Params) -> None:
    Path("data").mkdir()
    with pytest.raises(DataError, match=r"^data/taxonomy\.yaml is missing: fetch the data with"):
        validate.run(params.validate_, params.image)


def test_a_manifest_without_rows(data: Path, params: Params) -> None:
    _write(data, [])
    words = "data/manifest.csv lists no images: fill data/ with `vitrine import`"
    with pytest.raises(DataError, match=re.escape(words)):
        validate.run(params.validate_, params.image)
    assert not Path("artifacts").exists()


def test_labels_are_escaped_in_the_page(data: Path, strict: ValidateParams, params: Params) -> None:
    _change(data, 0, style="<script>alert(1)</script>")
    _failure(strict, params)
    page = Path("reports/validate/index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_severities_are_the_users(data: Path, strict: ValidateParams, params: Params) -> None:
    (data / "images/orphan.jpg").write_bytes((data / _rows(data)[0].image).read_bytes())
    assert "error: every file in images/ has a row" in _failure(
        _section(strict, severity={"orphan_files": "error"}), params
    )
    off = _section(strict, severity={"orphan_files": "off"})
    assert "found nothing wrong" in validate.run(off, params.image).describe()
    assert "orphan_files" not in _metrics()
    words = r"validate\.severity names 'orphans', which is no check; did you mean orphan_files\?"
    with pytest.raises(ParamsError, match=words):
        validate.run(_section(strict, severity={"orphans": "off"}), params.image)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("../secret.jpg", "must be a path under data/ with forward slashes; correct the row"),
        ("/etc/passwd", "must be a path under data/ with forward slashes; correct the row"),
        ("images\\a.jpg", "must be a path under data/ with forward slashes; correct the row"),
        ("images//a.jpg", "must be written 'images/a.jpg'"),
    ],
)
def test_a_path_that_leaves_data_or_could_name_a_file_twice(
    data: Path, strict: ValidateParams, params: Params, image: str, words: str
) -> None:
    _change(data, 4, image=image)
    with pytest.raises(DataError, match=re.escape(f"manifest.csv line 6: image {image!r} {words}")):
        validate.run(strict, params.image)
    assert not Path("artifacts").exists()


def test_a_link_that_leaves_data(data: Path, strict: ValidateParams, params: Params) -> None:
    name = _rows(data)[3].image
    (data / name).rename("outside.jpg")
    (data / name).symlink_to(Path("outside.jpg").resolve())
    assert (
        f"manifest.csv line 5, {name}: the link leads out of data/, to "
        f"{Path('outside.jpg').resolve()}; put the file itself there; replace the file or remove "
        "the row"
    ) in _failure(strict, params)


def test_quarantine_lets_the_pipeline_go_on_and_keeps_the_images(
    data: Path, strict: ValidateParams, params: Params
) -> None:
    rows = _rows(data)
    _truncate(data / rows[3].image)
    _failure(strict, params)
    catalogue = Catalogue(data)
    moved = set_aside(catalogue, Path("reports/validate/findings.csv"))
    assert moved.images == {rows[3].image: "unreadable"}
    assert "found nothing wrong" in validate.run(strict, params.image).describe()
    assert (data / rows[3].image).is_file()
    restore(catalogue)
    assert {row.image for row in _rows(data)} == {row.image for row in rows}


def test_images_that_were_measured_before_are_not_decoded_again(
    data: Path, strict: ValidateParams, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate.run(strict, params.image)
    before = list(read_facts(Path("artifacts/validate/facts.parquet")))
    new = Row("images/new.jpg", "minimalist", "home")
    noise = np.random.default_rng(1).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(data / new.image)
    _write(data, [*_rows(data), new])
    examined = []
    real = imaging.examine

    def spy(content: bytes, *arguments: Any) -> Any:
        examined.append(arguments[1])
        return real(content, *arguments)

    monkeypatch.setattr(imaging, "examine", spy)
    validate.run(strict, params.image)
    after = list(read_facts(Path("artifacts/validate/facts.parquet")))
    assert examined == ["images/new.jpg"]
    assert after[:-1] == before
