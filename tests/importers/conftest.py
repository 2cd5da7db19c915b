"""Small sources, and one way to bring them in."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from vitrine.core.params import ImageParams, Params
from vitrine.importers.intake import Terms, import_images
from vitrine.importers.report import Imported
from vitrine.importers.source import Source


@pytest.fixture
def image(params: Params) -> ImageParams:
    return params.image


@pytest.fixture(scope="session")
def jpeg() -> Callable[[int], bytes]:
    """Make the bytes of a small JPEG, another one for every number."""

    def make(number: int) -> bytes:
        noise = random.Random(number).randbytes(6 * 8 * 3)
        file = io.BytesIO()
        PIL.Image.frombytes("RGB", (6, 8), noise).resize((24, 32)).save(file, "JPEG")
        return file.getvalue()

    return make


@pytest.fixture
def photos(workplace: Path, jpeg: Callable[[int], bytes]) -> Callable[..., Path]:
    """Write photos under a folder of the working directory."""

    def write(*names: str, folder: str = "source", first: int = 0) -> Path:
        for number, name in enumerate(names, start=first):
            path = workplace / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(number))
        return workplace / folder

    return write


@pytest.fixture
def bring_in(workplace: Path, image: ImageParams) -> Callable[..., Imported]:
    """Import a source into data/ of the working directory."""

    def run(source: Source, **terms: object) -> Imported:
        usual = {"append": False, "replace": False, "limit": None, "min_images": 1}
        return import_images(source, Terms(**{"data": Path("data"), **usual, **terms}), image)

    return run
