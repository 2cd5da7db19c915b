import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitrine.core.params import ImageParams, Params, override
from vitrine.quality import store as module
from vitrine.quality.facts import SCHEMA, Facts
from vitrine.quality.measuring import measure_bytes
from vitrine.quality.store import VERSION, FactStore, Signature

HOUR = 3600 * 10**9


@pytest.fixture
def image(params: Params) -> ImageParams:
    return params.image


def _facts(number: int = 0, **values: object) -> Facts:
    """Facts of an image, each of them known."""
    return Facts(
        **{
            "image": f"images/{number}.png",
            "readable": True,
            "format": "PNG",
            "width": 30,
            "height": 20,
            "mode": "RGB",
            "orientation": 1,
            "bytes": 2**40 + number,
            "md5": f"{number:032x}",
            "sha256": f"{number:064x}",
            "phash": number,
            "mirror_hash": number,
            "descriptor": bytes(range(256)),
            **{name: 0.1 + place for place, name in enumerate(SCHEMA.names[14:])},
            **values,
        }
    )


def _signature(number: int = 0, modified: int | None = None) -> Signature:
    modified = time.time_ns() - HOUR if modified is None else modified
    return Signature(f"images/{number}.png", 100, modified, modified - 5, 7)


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_facts_come_back_as_they_were(tmp_path: Path, image: ImageParams, number: int) -> None:
    known = _facts(phash=number, mirror_hash=2**64 - 1 - number)
    fault = Facts("images/f.png", reason="the file is empty", bytes=0, md5="f" * 32, sha256="e")
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([known, fault])
    with FactStore(tmp_path / "facts.db", image) as store:
        found = store.of_contents([str(known.md5), str(fault.md5), "unknown"])
    assert found == {known.md5: replace(known, image=""), fault.md5: replace(fault, image="")}


def test_facts_without_a_content_are_not_kept(tmp_path: Path, image: ImageParams) -> None:
    with FactStore(tmp_path / "facts.db", image) as store:
        signature = _signature()
        store.add([Facts(signature.path, reason="the file is missing")], [signature])
        assert store.contents_of_files([signature]) == {}


def test_a_file_is_known_by_its_whole_signature(tmp_path: Path, image: ImageParams) -> None:
    signature = _signature()
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([_facts()], [signature])
        assert store.contents_of_files([signature]) == {signature.path: _facts().md5}
        others = {
            "path": "images/b.png",
            "size": 101,
            "modified": signature.modified - 1,
            "changed": signature.changed + 1,
            "inode": 8,
        }
        for name, value in others.items():
            assert store.contents_of_files([replace(signature, **{name: value})]) == {}


def test_a_file_that_has_not_settled_is_not_known(tmp_path: Path, image: ImageParams) -> None:
    now = _signature(modified=time.time_ns() + HOUR)
    touched = replace(_signature(1), changed=time.time_ns() + HOUR)
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([_facts(0), _facts(1)], [now, touched])
        assert store.contents_of_files([now, touched]) == {}
        assert len(store.of_contents([str(_facts(0).md5), str(_facts(1).md5)])) == 2


def test_a_file_gets_another_content(tmp_path: Path, image: ImageParams) -> None:
    first, second = _signature(), replace(_signature(), size=101)
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([_facts()], [first])
        store.add([_facts(md5="b" * 32)], [second])
        assert store.contents_of_files([first]) == {}
        assert store.contents_of_files([second]) == {second.path: "b" * 32}


@pytest.mark.parametrize("at_once", [1, 7, 512])
def test_any_number_of_contents_may_be_asked_for(
    tmp_path: Path, image: ImageParams, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    facts = [_facts(number) for number in range(20)]
    signatures = [_signature(number) for number in range(20)]
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add(facts, signatures)
        assert list(store.of_contents([str(one.md5) for one in facts])) == [
            one.md5 for one in facts
        ]
        assert len(store.contents_of_files(signatures)) == 20
        assert store.of_contents([]) == {}
        assert store.contents_of_files([]) == {}


@pytest.mark.parametrize(
    "change", [{"background": (0, 0, 0)}, {"max_bytes": 1000}, {"max_pixels": 1000}]
)
def test_facts_made_with_other_settings_are_thrown_away(
    tmp_path: Path, image: ImageParams, change: dict[str, object]
) -> None:
    signature = _signature()
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([_facts()], [signature])
    with FactStore(tmp_path / "facts.db", override(image, change)) as store:
        assert store.of_contents([str(_facts().md5)]) == {}
        assert store.contents_of_files([signature]) == {}


def test_facts_do_not_depend_on_the_size_that_a_network_sees(
    tmp_path: Path, image: ImageParams
) -> None:
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([_facts()])
    other = override(image, {"height": 224, "width": 224, "fit": "crop"})
    with FactStore(tmp_path / "facts.db", other) as store:
        assert list(store.of_contents([str(_facts().md5)])) == [_facts().md5]


def test_facts_of_another_version_are_thrown_away(
    tmp_path: Path, image: ImageParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FactStore(tmp_path / "facts.db", image) as store:
        store.add([_facts()])
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    with FactStore(tmp_path / "facts.db", image) as store:
        assert store.of_contents([str(_facts().md5)]) == {}


def _overwrite(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _garble(path: Path) -> None:
    """Leave the first pages, which say what tables there are, and garble the contents."""
    content = path.read_bytes()
    path.write_bytes(content[:20480] + bytes([0xA5]) * (len(content) - 20480))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_overwrite, _cut, _garble, _empty])
def test_a_damaged_store_is_thrown_away(
    tmp_path: Path, image: ImageParams, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "deep" / "facts.db"
    facts = [_facts(number) for number in range(200)]
    signatures = [_signature(number) for number in range(200)]
    with FactStore(path, image) as store:
        store.add(facts, signatures)
    damage(path)
    contents = [str(one.md5) for one in facts]
    for kept in (False, True):
        with FactStore(path, image) as store:
            if not kept:
                store.contents_of_files(signatures)
                store.of_contents(contents)
            assert len(store.contents_of_files(signatures)) == (200 if kept else 0)
            assert len(store.of_contents(contents)) == (200 if kept else 0)
            store.add(facts, signatures)
            assert len(store.of_contents(contents)) == 200


def test_threads_share_a_store(tmp_path: Path, image: ImageParams) -> None:
    def work(number: int) -> set[int]:
        store.add(
            [_facts(10 * number + i) for i in range(10)],
            [_signature(10 * number + i) for i in range(10)],
        )
        found = store.of_contents([f"{number:032x}" for number in range(10 * number + 10)])
        return {int(md5, 16) for md5 in found}

    with FactStore(tmp_path / "facts.db", image) as store, ThreadPoolExecutor(6) as pool:
        for number, found in enumerate(pool.map(work, range(40))):
            assert found >= set(range(10 * number, 10 * number + 10))
        assert len(store.of_contents([f"{number:032x}" for number in range(400)])) == 400


def test_two_stores_of_one_file_do_not_disturb_each_other(
    tmp_path: Path, image: ImageParams
) -> None:
    path = tmp_path / "facts.db"
    with FactStore(path, image) as one, FactStore(path, image) as two:
        one.add([_facts(1)])
        two.add([_facts(1), _facts(2)])
        assert len(one.of_contents([str(_facts(number).md5) for number in (1, 2)])) == 2


def test_another_way_of_measuring_needs_another_version(params: Params) -> None:
    """Facts that are kept must be those that would be measured: raise VERSION with the numbers."""
    y, x = np.mgrid[0:90, 0:60]
    disc = np.where((x - 30) ** 2 + (y - 40) ** 2 < 400, 20, 235)
    file = BytesIO()
    pixels = np.stack([(x * 4) % 256, (y * 2) % 256, disc], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    facts = measure_bytes(file.getvalue(), params.image, "a")
    names = ["brightness", "darkest", "brightest", "contrast", "entropy", "colourfulness"]
    numbers = [round(getattr(facts, name), 1) for name in names]
    assert facts.descriptor is not None
    assert (VERSION, numbers, list(facts.descriptor[::40]), facts.phash) == (
        2,
        [108.7, 38.0, 191.0, 38.9, 7.2, 156.3],
        [35, 109, 98, 112, 146, 187],
        15001226408146748220,
    )
