"""The stage that makes the bundle."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vitrine.bundle.format import load_info
from vitrine.bundle.golden import read_golden
from vitrine.core.errors import DataError, ModelError, PreparedDataError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import Params
from vitrine.inputs.shards import read_batches
from vitrine.inputs.summary import Summary
from vitrine.stages import export


@pytest.fixture
def trained(demo_shards: Path, tiny_bundle: Path) -> Path:
    """A working directory as the stage `train` leaves it."""
    folder = demo_shards / "artifacts/train"
    folder.mkdir()
    shutil.copyfile(tiny_bundle / "model.keras", folder / "model.keras")
    (folder / "run.json").write_text(json.dumps({"run_id": "run 7"}))
    return demo_shards


def test_the_bundle_knows_where_it_comes_from(trained: Path, params: Params) -> None:
    result = export.run(params.export, "all params")
    info = load_info(trained / "artifacts/export")
    assert (info.lineage.run_id, info.lineage.data_digest) == ("run 7", "0123.dir")
    assert info.lineage.params_digest == "all params"
    assert info.lineage.git_commit == "unknown"
    assert info.taxonomy == Summary.load(trained / "artifacts/prepare").taxonomy
    assert info.digest[:12] in result.describe()
    assert "artifacts/export" in result.describe()
    assert info.precision == params.export.sure_precision
    # Twelve images of val cannot show that 95 % are right.
    sure, chosen, *measured = result.describe().splitlines()[2:]
    assert sure == "sure answers, of which 95% are right on val: style none, category none"
    assert min(info.thresholds.values()) > 1
    assert chosen.startswith(f"computes in {info.computing.precision}; on val")
    assert len(measured) == len(info.computing.measured)
    assert re.fullmatch(
        r"  f32 \d+ images/s; style [\d.]+% right, macro F1 [01]\.\d+; category .* F1 [01]\.\d+",
        measured[0],
    )


def test_the_golden_images_are_files_of_val(trained: Path, params: Params) -> None:
    export.run(params.export, "")
    names = next(read_batches(trained / "artifacts/prepare", "val", 100)).names
    sources, _ = read_golden(trained / "artifacts/export")
    assert len(sources) == params.export.golden_images
    assert all(any((trained / "data" / n).read_bytes() == s for n in names) for s in sources)


@pytest.mark.parametrize(
    ("missing", "error", "words"),
    [
        ("artifacts/train/run.json", ModelError, "run.json is missing: .*dvc repro train"),
        ("artifacts/train/model.keras", ModelError, "model.keras cannot be loaded"),
        ("artifacts/prepare/summary.json", PreparedDataError, "summary.json is missing"),
        ("data.dvc", DataError, "dvc add data"),
    ],
)
def test_what_is_missing_is_named(
    trained: Path, params: Params, missing: str, error: type[Exception], words: str
) -> None:
    (trained / missing).unlink()
    with pytest.raises(error, match=words):
        export.run(params.export, "")
    assert not (trained / "artifacts/export").exists()


def test_an_image_that_went_from_data_is_named(trained: Path, params: Params) -> None:
    shutil.rmtree(trained / "data/images")
    with pytest.raises(DataError, match=r"data/images/"):
        export.run(params.export, "")


def test_an_empty_val_split_is_named(trained: Path, params: Params, catalogue: Catalogue) -> None:
    folder = trained / "artifacts/prepare"
    summary = Summary.load(folder)
    empty = summary.splits["val"].model_copy(update={"images": 0, "shards": {}})
    splits = {**summary.splits, "val": empty}
    summary.model_copy(update={"splits": splits}).save(folder)
    with pytest.raises(PreparedDataError, match=r"val split is empty.*prepare\.val_share"):
        export.run(params.export, "")


@pytest.mark.slow
def test_the_same_network_gives_the_same_bundle(trained: Path, params: Params) -> None:
    code = (
        "import sys; from pathlib import Path; from vitrine.core.params import Params; "
        "from vitrine.stages import export; "
        "section = Params.load(Path(sys.argv[1])).export; "
        # What is computed in depends on how fast each was.
        "export.run(section.model_copy(update={'precisions': ('f32',)}), '')"
    )
    digests = set()
    for _ in range(2):
        shutil.rmtree(trained / "artifacts/export", ignore_errors=True)
        path = Path(__file__).parents[2] / "params.yaml"
        subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True)
        digests.add(load_info(trained / "artifacts/export").digest)
    assert len(digests) == 1
