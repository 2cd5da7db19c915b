"""A running service is proven by the golden images of the model that is pinned."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from registering import version
from served import served
from vitrine.bundle.format import load_info
from vitrine.cli import app
from vitrine.core.errors import ReleaseError, ServiceError
from vitrine.core.files import write_text
from vitrine.core.pin import pinned
from vitrine.release import running_service
from vitrine.release.package import model_tag
from vitrine.release.smoke import prove_service
from vitrine.serving.keys import new_key

Register = Callable[..., str]

pytestmark = pytest.mark.filterwarnings(
    "ignore:GitWildMatchPattern:DeprecationWarning"  # bentoml 1.4.39
)


def keep(tag: str, bundle: Path) -> None:
    """Put a bundle into BentoML's store."""
    import bentoml

    metadata = {"name": "vitrine", "version": tag.partition(":v")[2]}
    with bentoml.models.create(tag, metadata=metadata) as model:
        for file in bundle.iterdir():
            shutil.copyfile(file, model.path_of(file.name))


def pin(bentofile: Path, tag: str) -> None:
    write_text(bentofile, pinned(bentofile.read_text(encoding="utf-8"), tag))


@pytest.mark.slow
def test_a_service_proves_itself_to_whoever_has_the_key(
    bentofile: Path,
    name: str,
    tiny_bundle: Path,
    other_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret, key = new_key("tests")
    tag, other = f"{name}:v1", f"{name}:v2"
    keep(tag, tiny_bundle)
    keep(other, other_bundle)
    pin(bentofile, tag)
    settings = {"KEYS": str(key), "FOLLOW": "", "WORKERS": "1"}
    env = os.environ | {f"VITRINE_SERVING_{name}": text for name, text in settings.items()}
    with served(folder=bentofile.absolute().parent, env=env) as (client, _):
        url = str(client.base_url)
        with pytest.raises(
            ServiceError, match="takes no other key than its own: set VITRINE_API_KEY"
        ):
            prove_service(url)
        monkeypatch.setenv("VITRINE_API_KEY", secret)
        proof = prove_service(url)
        assert (proof.tag, proof.digest) == (tag, load_info(tiny_bundle).digest)
        assert proof.difference < 0.2
        assert f"answers by the bundle {proof.digest}, as bentofile.yaml pins" in proof.describe()
        pin(bentofile, other)
        digests = [load_info(bundle).digest[:12] for bundle in (tiny_bundle, other_bundle)]
        words = f"by version 1, bundle {digests[0]}, but bentofile.yaml pins {other}, bundle"
        with pytest.raises(ServiceError, match=f"{words} {digests[1]}: deploy what is pinned"):
            prove_service(url)


@pytest.mark.slow
def test_what_is_pinned_is_nowhere(bentofile: Path, name: str, register: Register) -> None:
    register()
    for tag in ("v1", "v1-01234567", "v9-01234567"):
        pin(bentofile, f"{name}:{tag}")
        with pytest.raises(ReleaseError, match=f"{name}:{tag}, which .* is neither in BentoML's"):
            prove_service("http://127.0.0.1:9")


def test_a_running_service_gets_the_golden_images_alone() -> None:
    result = CliRunner().invoke(app, ["smoke", "shoe.jpg", "--service", "http://127.0.0.1:9"])
    assert result.exit_code == 2
    assert "the golden images are sent: name no image" in result.output


def test_nothing_is_pinned(bentofile: Path) -> None:
    with pytest.raises(ReleaseError, match="bentofile.yaml pins no model: run `vitrine package`"):
        prove_service("http://127.0.0.1:9")


@pytest.mark.slow
def test_a_service_that_does_not_come_up(
    bentofile: Path, name: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pinned is in MLflow alone, as on a machine that packaged nothing."""
    monkeypatch.setattr(running_service, "PATIENCE", 0.3)
    pin(bentofile, model_tag(version(name, register())))
    with pytest.raises(ServiceError, match=r"did not answer within 0 s \(.*refused.*\): start it"):
        prove_service("http://127.0.0.1:9")
