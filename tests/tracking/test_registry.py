"""Bundles in MLflow's registry."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from mlflow import MlflowClient

from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.core.errors import BundleError, TrackingError


@pytest.fixture
def client(store: Path) -> MlflowClient:
    """MLflow's own client, to look at what was registered."""
    return MlflowClient(f"sqlite:///{store / 'mlflow.db'}")


def _register(bundle: Path, **tags: str) -> str:
    tags = {"bundle_digest": load_info(bundle).digest} | tags
    with tracking.pipeline_run(None) as run:
        return tracking.register_bundle(bundle, "vitrine", run.id, tags, "# The card")


def test_nothing_is_registered_yet(store: Path) -> None:
    assert tracking.version_of_alias("vitrine", "champion") is None
    assert tracking.version_by_digest("vitrine", "0" * 64) is None
    assert tracking.find_version("vitrine", "1") is None
    assert tracking.champion_bundle("vitrine") is None


def test_a_bundle_is_a_version_with_tags_and_alias(client: MlflowClient, tiny_bundle: Path) -> None:
    number = _register(tiny_bundle, gate="passed")
    tracking.set_alias("vitrine", "challenger", number)
    tracking.set_version_tags("vitrine", number, {"data_digest": "abc"})
    page = client.get_model_version("vitrine", number)
    assert page.description == "# The card"
    assert page.tags["gate"] == "passed"
    assert page.tags["data_digest"] == "abc"
    version = tracking.version_of_alias("vitrine", "challenger")
    assert version == tracking.find_version("vitrine", number)
    assert version is not None
    assert version.gate_passed
    assert version.aliases == ("challenger",)
    assert version.bundle_digest == load_info(tiny_bundle).digest
    assert tracking.version_by_digest("vitrine", version.bundle_digest) == number
    (output,) = client.get_run(version.run_id).outputs.model_outputs
    assert page.source == client.get_logged_model(output.model_id).artifact_location


def test_two_give_the_same_alias_for_the_first_time(store: Path, tiny_bundle: Path) -> None:
    numbers = [_register(tiny_bundle), _register(tiny_bundle)]
    for attempt in range(8):
        alias, start = f"alias{attempt}", Barrier(2)

        def give(number: str, alias: str = alias, start: Barrier = start) -> None:
            start.wait()
            tracking.set_alias("vitrine", alias, number)

        with ThreadPoolExecutor() as people:
            list(people.map(give, numbers))
        version = tracking.version_of_alias("vitrine", alias)
        assert version is not None
        assert version.number in numbers


def test_an_alias_moves(
    store: Path, tiny_bundle: Path, make_bundle: Callable[[Path, int], Path]
) -> None:
    for bundle in (tiny_bundle, make_bundle(store / "other", 2)):
        tracking.set_alias("vitrine", "challenger", _register(bundle))
    version = tracking.version_of_alias("vitrine", "challenger")
    assert version is not None
    assert version.number == "2"
    first = tracking.find_version("vitrine", "1")
    assert first is not None
    assert first.aliases == ()


def test_the_champion_is_fetched_once(store: Path, tiny_bundle: Path) -> None:
    tracking.set_alias("vitrine", "champion", _register(tiny_bundle))
    folder = tracking.champion_bundle("vitrine")
    assert folder is not None
    assert load_info(folder) == load_info(tiny_bundle)
    before = (folder / "model.bin").stat().st_mtime_ns
    assert tracking.champion_bundle("vitrine") == folder
    assert (folder / "model.bin").stat().st_mtime_ns == before


def test_a_damaged_copy_is_fetched_again(store: Path, tiny_bundle: Path) -> None:
    number = _register(tiny_bundle)
    folder = tracking.download_bundle("vitrine", number)
    (folder / "model.bin").write_bytes(b"damaged")
    assert load_info(tracking.download_bundle("vitrine", number)) == load_info(tiny_bundle)


def test_a_version_that_holds_another_bundle_than_its_tag_says(
    store: Path, tiny_bundle: Path
) -> None:
    number = _register(tiny_bundle, bundle_digest="0" * 64)
    with pytest.raises(BundleError, match="does not hold the bundle that its tag"):
        tracking.download_bundle("vitrine", number)
    assert not [*(store / ".cache/bundles").glob("*")]


def test_a_version_that_is_no_bundle(client: MlflowClient, store: Path) -> None:
    (store / "model").mkdir()
    (store / "model/weights.h5").write_bytes(b"weights")
    client.create_registered_model("vitrine")
    client.create_model_version("vitrine", (store / "model").as_uri())
    with pytest.raises(BundleError, match="version 1 of the model 'vitrine' holds no bundle.json"):
        tracking.download_bundle("vitrine", "1")


def test_a_version_that_is_not_there(store: Path) -> None:
    with pytest.raises(TrackingError, match="the model 'vitrine' has no version 7"):
        tracking.download_bundle("vitrine", "7")


def test_a_registration_that_breaks_off_makes_no_version(
    client: MlflowClient, store: Path, tiny_bundle: Path
) -> None:
    (store / "mlruns").write_text("no folder")
    with tracking.pipeline_run(None) as run, pytest.raises(NotADirectoryError):
        tracking.register_bundle(tiny_bundle, "vitrine", run.id, {})
    assert client.search_model_versions("name = 'vitrine'") == []
