from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from checked import TAXONOMY, Tables, known, missing, tables
from vitrine.core.errors import ParamsError
from vitrine.core.manifest import Row
from vitrine.core.params import Params, ValidateParams
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality.change import create_change_tables, find_changes
from vitrine.quality.checks import Check
from vitrine.quality.database import load_replaced
from vitrine.quality.earlier_table import create_earlier_table
from vitrine.quality.expectations import run_checks
from vitrine.quality.facts import Facts
from vitrine.quality.report import Report
from vitrine.quality.suites import Typical, leakage_checks, validate_checks, with_severities

TYPICAL = Typical(side=80, grey_share=0)
ODD = Taxonomy(
    styles=(Label(name="vintage"), Label(name='it\'s {0} \\ "odd"')),
    categories=(Label(name="home"), Label(name="shoes"), Label(name="hats")),
    forbidden=(('it\'s {0} \\ "odd"', "home"),),
)


def _changed(section: ValidateParams, **suites: dict[str, Any]) -> ValidateParams:
    """Change keys of a section's suites."""
    update = {
        name: getattr(section, name).model_copy(update=values) for name, values in suites.items()
    }
    return section.model_copy(update=update)


@pytest.fixture
def strict(params: Params) -> ValidateParams:
    """Thresholds that tolerate nothing, and are easy to be reached by a few rows."""
    return _changed(
        params.validate_,
        integrity={"max_conflict_share": 0, "max_duplicate_share": 0, "formats": ("JPEG", "PNG")},
        labels={"max_conflict_share": 0, "max_missing_share": 0.01, "max_imbalance": 2},
        quality={"tolerated_share": 0},
        change={"max_label_psi": 0, "max_fact_psi": 0},
    )


def _found(made: Tables, checks: list[Check]) -> dict[str, list[str]]:
    """Run checks; return the findings of each in words."""
    outcomes = run_checks(checks, made.path, made.path.parent / "docs")
    report = Report(outcomes, made.connection)
    return {o.check.name: [str(finding) for finding in report.findings(o)] for o in outcomes}


def _before(made: Tables, images: Iterable[tuple[Row, Facts]]) -> None:
    """Compare with an earlier version that had these images."""
    create_earlier_table(made.connection)
    names = [row[1] for row in made.connection.execute("PRAGMA table_info(earlier_images)")]
    for row, facts in images:
        values = [getattr(row, name, None) or getattr(facts, name, "") for name in names]
        marks = ", ".join("?" * len(names))
        made.connection.execute(f"INSERT INTO earlier_images VALUES ({marks})", values)
    find_changes(made.connection, 0, 0)
    load_replaced(made.connection)


def test_every_check_has_words_for_a_row_that_breaks_it(
    tmp_path: Path, strict: ValidateParams
) -> None:
    plain = ("vintage", "home")
    faults: list[tuple[Row, Facts]] = [
        (Row("images/gone.jpg", *plain), missing("images/gone.jpg")),
        (Row("images/bad.jpg", *plain), Facts("images/bad.jpg", reason="it is {0} %s", bytes=9)),
        *(
            (Row(f"images/{name}", *plain), known(f"images/{name}", **values))
            for name, values in {
                "gif.png": {"format": "GIF"},
                "small.jpg": {"width": 9, "height": 12},
                "dark.jpg": {"brightest": 40.0},
                "bright.jpg": {"darkest": 240.0},
                "blur.jpg": {"sharpness": 0.1},
                "flat.jpg": {"contrast": 1.0},
                "huge.jpg": {"width": 900, "height": 900},
                "long.jpg": {"aspect_ratio": 9.0},
                "grey.jpg": {"colourfulness": 0.0},
                "mark.jpg": {"repetition": 0.9},
                "near.jpg": {},
                "like.jpg": {},
                "replaced.jpg": {},
            }.items()
        ),
        (Row("images/one.jpg", "vintage", "home", "it's {p}"), known("1", sha256="ab")),
        (Row("images/two.jpg", "vintage", "shoes", "it's {p}"), known("2", sha256="ab")),
        (Row("images/who.jpg", "{unknown} 'x'", "what\\?"), known("who")),
        (Row("images/pair.jpg", 'it\'s {0} \\ "odd"', "home"), known("pair")),
        (Row("images/none.jpg"), known("none")),
    ]
    images = [(row, Facts(**{**_values(facts), "image": row.image})) for row, facts in faults]
    images += [
        (Row(f"images/{i}.jpg", *plain), known(f"images/{i}.jpg", brightness=9.0))
        for i in range(60)
    ]
    places = {row.image: place for place, (row, _) in enumerate(images)}
    near = [(places["images/near.jpg"], places["images/like.jpg"])]
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "orphan {x} %s.jpg").touch()
    with tables(tmp_path, images, ODD, near) as made:
        before = [
            (Row(f"images/{i}.jpg", "vintage", "hats"), known(f"images/{i}.jpg")) for i in range(90)
        ]
        before += [(Row("images/replaced.jpg"), known("images/replaced.jpg", md5="0" * 32))]
        _before(made, before)
        found = _found(made, validate_checks(strict, ODD, TYPICAL))
    assert [name for name, findings in found.items() if not findings] == []
    for findings in found.values():
        for words in findings:
            assert "None" not in words
            assert words.startswith(("manifest.csv", "taxonomy.yaml: ", "images/orphan {x} %s"))
    # Rows whose labels come from people, who may write anything.
    assert found["unreadable"] == [
        "manifest.csv line 3, images/bad.jpg: it is {0} %s; replace the file or remove the row"
    ]
    assert found["unknown_style"] == [
        "manifest.csv line 19, images/who.jpg: style \"{unknown} 'x'\" is not in taxonomy.yaml; "
        "add it there or correct the row"
    ]
    assert len(found["unknown_category"]) == 1
    assert len(found["forbidden_pairs"]) == 1
    assert found["conflicting_products"] == [
        'manifest.csv line 17, images/one.jpg: the image is of product "it\'s {p}", as is '
        "images/two.jpg (line 18), but has the category 'home' instead of 'shoes'; correct one of "
        "the two rows",
        'manifest.csv line 18, images/two.jpg: the image is of product "it\'s {p}", as is '
        "images/one.jpg (line 17), but has the category 'shoes' instead of 'home'; correct one of "
        "the two rows",
    ]


def _values(facts: Facts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in Facts.__slots__}


def test_every_leak_has_words(tmp_path: Path) -> None:
    rows = [
        Row("images/a.jpg", product="p", split="train"),
        Row("images/b.jpg", product="p", split="test"),
        Row("images/c.jpg", split="val"),
        Row("images/d.jpg", split="train"),
        Row("images/e.jpg", split="val"),
        Row("images/f.jpg", split="test"),
        Row("images/g.jpg", product="q", split="test"),
        Row("images/h.jpg", product="q"),  # left out, as it has no label
    ]
    digests = {"images/c.jpg": "1", "images/d.jpg": "1"}
    images = [(r, known(r.image, sha256=digests.get(r.image, r.image))) for r in rows]
    with tables(tmp_path, images, near=[(4, 5)]) as made:
        found = _found(made, list(leakage_checks()))
    advice = "give both the same split in manifest.csv, or none"
    assert found == {
        "leaked_products": [
            "manifest.csv line 2, images/a.jpg: the image is in train, but is of the same product "
            f"as images/b.jpg (line 3) in test; {advice}",
            "manifest.csv line 3, images/b.jpg: the image is in test, but is of the same product "
            f"as images/a.jpg (line 2) in train; {advice}",
        ],
        "leaked_duplicates": [
            "manifest.csv line 4, images/c.jpg: the image is in val, but has the same bytes as "
            f"images/d.jpg (line 5) in train; {advice}",
            "manifest.csv line 5, images/d.jpg: the image is in train, but has the same bytes as "
            f"images/c.jpg (line 4) in val; {advice}",
        ],
        "leaked_near_duplicates": [
            "manifest.csv line 6, images/e.jpg: the image is in val, but shows nearly the same as "
            f"images/f.jpg (line 7) in test; {advice}",
            "manifest.csv line 7, images/f.jpg: the image is in test, but shows nearly the same as "
            f"images/e.jpg (line 6) in val; {advice}",
        ],
    }


def test_good_rows_break_no_check(tmp_path: Path, strict: ValidateParams) -> None:
    labels = [
        (style, category) for style in ("vintage", "modern") for category in ("home", "shoes")
    ]
    rows = [Row(f"images/{i}.jpg", *labels[i % 4], f"p{i % 4}", split="val") for i in range(16)]
    with tables(tmp_path, [(row, known(row.image)) for row in rows]) as made:
        create_change_tables(made.connection)
        checks = validate_checks(strict, TAXONOMY, TYPICAL)
        found = _found(made, [*checks, *leakage_checks()])
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_share_of_images_with_a_fault_may_be_tolerated(
    tmp_path: Path, strict: ValidateParams, share: float
) -> None:
    section = _changed(strict, quality={"tolerated_share": share})
    images = [(Row(f"images/{i}.jpg"), known(f"images/{i}.jpg")) for i in range(2)]
    faults = {"brightest": 1.0, "darkest": 254.0, "sharpness": 0.0, "contrast": 0.0, "width": 9999}
    faults |= {"aspect_ratio": 99.0, "colourfulness": 0.0, "repetition": 1.0}
    images += [(Row(f"images/{i}.jpg"), known(f"images/{i}.jpg", **faults)) for i in range(2, 4)]
    with tables(tmp_path, images) as made:
        checks = [c for c in validate_checks(section, TAXONOMY, TYPICAL) if c.suite == "quality"]
        outcomes = run_checks(checks, made.path, tmp_path / "docs")
    assert [(outcome.broken, outcome.passed) for outcome in outcomes] == [(2, share > 0)] * 8


def test_a_value_at_the_limit_is_allowed(tmp_path: Path, params: Params) -> None:
    quality = {
        "tolerated_share": 0,
        "min_brightest": 60,
        "max_darkest": 225,
        "min_sharpness": 0.5,
        "min_contrast": 4.0,
        "max_size_ratio": 4.0,
        "max_aspect_ratio": 5.0,
        "min_colourfulness": 0.5,
        "max_repetition": 0.75,
    }
    limits = {
        "brightest": 60.0,
        "darkest": 225.0,
        "sharpness": 0.5,
        "contrast": 4.0,
        "aspect_ratio": 5.0,
        "colourfulness": 0.5,
        "repetition": 0.75,
    }
    section = _changed(params.validate_, quality=quality, integrity={"min_side": 20})
    at = [known("images/0.jpg", width=320, height=320, **limits)]
    at += [known("images/1.jpg", width=20, height=20, **limits)]
    with tables(tmp_path, [(Row(facts.image), facts) for facts in at]) as made:
        checks = [c for c in validate_checks(section, TAXONOMY, TYPICAL) if c.table == "images"]
        wanted = [c for c in checks if c.suite == "quality" or c.name == "too_small"]
        found = _found(made, wanted)
    assert found == {check.name: [] for check in wanted}
    assert len(found) == 9


def test_names_are_unique_and_plain(params: Params) -> None:
    checks = [*validate_checks(params.validate_, TAXONOMY, TYPICAL), *leakage_checks()]
    names = [check.name for check in checks]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() and name == name.lower() for name in names)


def test_only_the_severity_of_named_checks_is_changed(params: Params) -> None:
    usual = validate_checks(params.validate_, TAXONOMY, TYPICAL)
    severity = {"blurry": "error", "unreadable": "warning", "imbalance": "off"}
    section = params.validate_.model_copy(update={"severity": severity})
    changed = {c.name: c for c in validate_checks(section, TAXONOMY, TYPICAL)}
    assert changed["blurry"].severity == "error"
    assert changed["unreadable"].severity == "warning"
    assert list(changed) == [check.name for check in usual if check.name != "imbalance"]
    rest = [check for check in usual if check.name not in severity]
    assert [changed[check.name] for check in rest] == rest


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("blury", "validate.severity names 'blury', which is no check; did you mean blurry?"),
        ("near_duplicate", "did you mean near_duplicates?"),
        ("xyz", "validate.severity names 'xyz', which is no check; there are missing_files, "),
    ],
)
def test_the_severity_of_no_check_is_refused(params: Params, name: str, words: str) -> None:
    section = params.validate_.model_copy(update={"severity": {name: "off"}})
    with pytest.raises(ParamsError) as caught:
        validate_checks(section, TAXONOMY, TYPICAL)
    assert str(caught.value).startswith("params.yaml: ")
    assert words in str(caught.value)


def test_the_stage_is_named_whose_severities_are_wrong() -> None:
    with pytest.raises(
        ParamsError,
        match=r"prepare\.severity names 'leaked_product', .* did you mean leaked_products",
    ):
        with_severities(list(leakage_checks()), {"leaked_product": "off"}, "prepare")


def test_what_is_usual_is_the_median_side_and_the_share_of_grey_images(
    tmp_path: Path, params: Params
) -> None:
    sides = [10, 300, 20, 90, 5000]
    images = [
        known(f"images/{i}", width=side, height=1, colourfulness=float(i % 2))
        for i, side in enumerate(sides)
    ] + [missing("images/gone")]
    with tables(tmp_path, [(Row(facts.image), facts) for facts in images]) as made:
        typical = Typical.of(made.connection, params.validate_.quality)
    assert typical == Typical(side=90, grey_share=0.6)


def test_nothing_is_usual_where_no_image_can_be_read(tmp_path: Path, params: Params) -> None:
    with tables(tmp_path, [(Row("images/a"), missing("images/a"))]) as made:
        typical = Typical.of(made.connection, params.validate_.quality)
        checks = validate_checks(params.validate_, TAXONOMY, typical)
        found = _found(made, [check for check in checks if check.suite == "quality"])
    assert typical == Typical(side=0, grey_share=0)
    assert not any(found.values())


@pytest.mark.parametrize(("share", "checked"), [(0.0, True), (0.2, True), (0.21, False)])
def test_grey_is_a_fault_only_where_colour_is_the_rule(
    params: Params, share: float, checked: bool
) -> None:
    section = _changed(params.validate_, quality={"max_grey_share": 0.2})
    checks = validate_checks(section, TAXONOMY, Typical(80, share))
    assert ("greyscale" in [check.name for check in checks]) is checked
