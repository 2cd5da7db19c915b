"""A bundle answers through OpenVINO."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vitrine import imaging
from vitrine.bundle.compiled import chip_precisions
from vitrine.bundle.format import Computing, digests, load_info
from vitrine.bundle.runtime import Runtime, Wanted, used
from vitrine.core.errors import BundleError, ImageError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import Precision


@pytest.fixture(scope="module")
def runtime(tiny_bundle: Path) -> Runtime:
    return Runtime(tiny_bundle)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def sources(catalogue: Catalogue) -> list[bytes]:
    return [catalogue.path(row).read_bytes() for row in catalogue.rows()][:3]


def test_the_answers_are_probabilities_by_class(runtime: Runtime, images: np.ndarray) -> None:
    answers = runtime.predict(images)
    for head in runtime.info.heads:
        probabilities = answers.probabilities(head)
        assert probabilities.shape == (9, len(runtime.info.taxonomy.names(head)))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert np.ptp(probabilities, axis=0).max() > 0.01
    assert len(answers) == 9


@pytest.mark.parametrize("size", [1, 4])
def test_an_answer_does_not_depend_on_the_batch(
    runtime: Runtime, images: np.ndarray, size: int
) -> None:
    whole, part = runtime.predict(images), runtime.predict(images[:size])
    for name in ("style", "category", "embedding", "style_map", "category_map"):
        np.testing.assert_allclose(getattr(part, name), getattr(whole, name)[:size], atol=1e-5)


def test_threads_do_not_mix_up_their_answers(runtime: Runtime, images: np.ndarray) -> None:
    alone = [runtime.predict(images[i : i + 1]).category for i in range(9)]
    with ThreadPoolExecutor(6) as pool:
        together = pool.map(
            lambda i: runtime.predict(images[i % 9 : i % 9 + 1]).category, range(90)
        )
        for i, found in enumerate(together):
            np.testing.assert_allclose(found, alone[i % 9], atol=1e-5)


def test_encoded_images_are_decoded_as_everywhere(runtime: Runtime, sources: list[bytes]) -> None:
    pixels = np.stack([imaging.load(source, runtime.info.image) for source in sources])
    np.testing.assert_array_equal(
        runtime.answer(sources).category, runtime.predict(pixels).category
    )


def test_an_image_that_cannot_be_used_is_named_by_its_place(
    runtime: Runtime, sources: list[bytes]
) -> None:
    with pytest.raises(ImageError, match="image 2"):
        runtime.answer([sources[0], b"no image"])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 32, 31, 3), np.uint8),
    ],
)
def test_other_pixels_are_refused(runtime: Runtime, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"images must be \(n, 32, 32, 3\) uint8, but got"):
        runtime.predict(wrong)


def test_half_precision_and_fewer_threads_answer_nearly_the_same(
    runtime: Runtime, tiny_bundle: Path, images: np.ndarray
) -> None:
    fast = Runtime(tiny_bundle, threads=1, precision="bf16")
    difference = fast.predict(images).category - runtime.predict(images).category
    assert np.abs(difference).max() < 0.05


@pytest.mark.parametrize(
    ("chosen", "wanted", "chip", "expected"),
    [
        ("bf16", "auto", ("f32", "bf16", "int8"), "bf16"),
        ("bf16", "auto", ("f32",), "f32"),
        ("bf16", "f32", ("f32", "bf16"), "f32"),
        ("f32", "auto", ("f32", "bf16"), "f32"),
        ("f32", "bf16", ("f32", "bf16"), "bf16"),
        ("f32", "bf16", ("f32", "int8"), "f32"),
        # What was quantised cannot become exact again.
        ("int8", "auto", ("f32", "bf16", "int8"), "int8"),
        ("int8", "f32", ("f32",), "int8"),
    ],
)
def test_what_is_computed_in_is_what_was_chosen_unless_asked_otherwise_or_not_there(
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: Precision,
    wanted: Wanted,
    chip: tuple[Precision, ...],
    expected: Precision,
) -> None:
    monkeypatch.setattr("vitrine.bundle.runtime.chip_precisions", lambda: chip)
    computing = Computing(precision=chosen, measured=())
    info = load_info(tiny_bundle).model_copy(update={"computing": computing})
    assert used(info, wanted) == expected


def test_the_runtime_tells_by_what_it_computes(runtime: Runtime) -> None:
    assert (runtime.runtime, runtime.precision) == ("openvino", "f32")
    assert runtime.device
    assert chip_precisions()[0] == "f32"


def test_a_graph_that_openvino_cannot_read_is_named(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    (bundle / "model.xml").write_text("<net/>")
    load = load_info(tiny_bundle)
    load.model_copy(update={"files": digests(bundle)}).save(bundle)
    with pytest.raises(BundleError, match=r"model\.xml cannot be loaded by OpenVINO"):
        Runtime(bundle)


def test_no_training_library_is_needed(tiny_bundle: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vitrine.bundle.golden import prove; "
        "from vitrine.bundle.runtime import Runtime; prove(Runtime(Path(sys.argv[1]))); "
        "print(*sorted({'tensorflow', 'keras', 'mlflow', 'dvc', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_bundle)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
