"""The Bento of a packaged model: built from the code here, and proven by its golden answers."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from vitrine.bundle.format import load_info
from vitrine.bundle.runtime import used
from vitrine.core.digests import file_digest, folder_digest, json_digest
from vitrine.core.errors import ReleaseError
from vitrine.core.layout import scratch
from vitrine.release.golden import prove_answers
from vitrine.release.local_service import local_service

NAME = "vitrine-api"
SOURCES = Path("src/vitrine")
REQUIREMENTS = Path("requirements/serve.txt")
PROVING = {
    "VITRINE_SERVING_WORKERS": "1",
    "VITRINE_SERVING_RUNTIME": "openvino",
    "VITRINE_SERVING_PRECISION": "f32",
    "VITRINE_SERVING_FOLLOW": "",
}
"""Settings of the service that proves a Bento: as the golden answers were made."""


def bento_tag(model: str, bentofile: str) -> str:
    """Return the tag of the Bento of a model, the code and the libraries of the working directory.

    Args:
        model: The model's tag in BentoML's store: `vitrine:v7-0123abcd`.
        bentofile: The text of the bentofile.yaml to build by.

    Raises:
        ReleaseError: requirements/serve.txt is missing.
    """
    files = (path for path in SOURCES.rglob("*") if path.is_file())
    names = [
        path.relative_to(SOURCES).as_posix() for path in files if path.parent.name != "__pycache__"
    ]
    try:
        libraries = file_digest(REQUIREMENTS)
    except FileNotFoundError:
        raise ReleaseError(f"{REQUIREMENTS} is missing: restore it, or make it anew") from None
    made_of = json_digest([model, bentofile, libraries, folder_digest(SOURCES, names)])
    return f"{NAME}:{model.partition(':')[2]}-{made_of[:8]}"


def has_bento(tag: str) -> bool:
    """Return whether a Bento lies whole in BentoML's store."""
    import bentoml

    try:
        bentoml.bentos.get(tag)
    except bentoml.exceptions.BentoMLException:
        return False
    return not _begun(tag).exists()


def _begun(tag: str) -> Path:
    return scratch("release") / f"{tag.partition(':')[2]}.begun"


def build_bento(tag: str, bentofile: str, labels: Mapping[str, str]) -> None:
    """Build a Bento in a process of its own, so that nothing of this one gets into it.

    What a killed process has left of it is removed first: BentoML copies file by file.

    Args:
        tag: Which it becomes.
        bentofile: The text of the bentofile.yaml to build by; the one here need not say the same.
        labels: Of the Bento.

    Raises:
        ReleaseError: BentoML does not build it.
    """
    import bentoml

    begun = _begun(tag)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    with suppress(bentoml.exceptions.NotFound):
        bentoml.bentos.delete(tag)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bentofile.yaml"
        path.write_text(bentofile, encoding="utf-8")
        command = [sys.executable, "-m", "bentoml", "build", ".", "--bentofile", str(path)]
        command += ["--version", tag.partition(":")[2]]
        for key, value in labels.items():
            command += ["--label", f"{key}={value}"]
        # Following, the service would look for its model in the pin here, which is the old one.
        env = {**os.environ, "VITRINE_SERVING_FOLLOW": ""}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ReleaseError(
            f"the Bento {tag} cannot be built: {said[-1] if said else 'bentoml build failed'}"
        )
    begun.unlink()


def prove_bento(tag: str, bundle: Path) -> float:
    """Serve a Bento, send it the golden images of its bundle, and compare the answers.

    Args:
        tag: Which.
        bundle: The bundle that lies in it.

    Returns:
        The largest difference of a probability.

    Raises:
        ServiceError: It does not come up, or does not answer by its own bundle.
        BundleError: An answer differs by more than the bundle allows.
    """
    precision = used(load_info(bundle), "f32")
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        local_service(tag, Path(elsewhere), PROVING) as service,
    ):
        return prove_answers(f"the Bento {tag}", service.classify, bundle, precision)
