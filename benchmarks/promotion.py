"""Claim: a click in the MLflow UI reaches the customers within a minute, and none is turned away.

Run: `python benchmarks/promotion.py`. A real MLflow server, `bentoml serve` with two workers under
20 requests a second, `vitrine watch`, and headless Chromium, which makes new versions the champion
one after the other. Per way of noticing: the seconds from opening the version's page, and clicking
there, until every worker answers with the new version; and how many requests failed meanwhile.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from measure import clone, run, where
from mlflow import MlflowClient
from reload import export, sending, service, until_all

from vitrine.core.manifest import Catalogue
from vitrine.demo import draw_catalogue

# isort: split
# Found through `measure`.
from browser import chromium_page, promote_in_ui
from servers import WEBHOOKS, free_port, mlflow_server

VERSIONS = 7
"""One to begin with, then three for each way of noticing."""
WAYS = {
    "polling every 5 s": [],
    "woken by the webhook": ["--every", "60", "--webhook", "http://127.0.0.1:{port}"],
}


def main() -> None:
    """Print the figures of each way of noticing."""
    print(where())
    with tempfile.TemporaryDirectory() as name, mlflow_server(Path(name), env=WEBHOOKS) as server:
        folder = Path(name)
        repository = clone(folder)
        env = {
            "MLFLOW_TRACKING_URI": server.address,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "BENTOML_HOME": str(folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "PYTHONPATH": str(repository / "src"),
            "VITRINE_SERVING_WORKERS": "2",
            "VITRINE_WEBHOOK_SECRET": "a secret of this benchmark",
        }
        register(repository, folder, env)
        run(["vitrine", "promote", "1"], repository, env)
        print(f"`vitrine package`: {run(['vitrine', 'package'], repository, env).seconds:.1f} s")
        left = iter(range(2, VERSIONS + 1))
        with service(repository, env) as url, chromium_page(allow=server.address) as visit:
            for way, options in WAYS.items():
                wanted = [option.format(port=free_port()) for option in options]
                with watching(repository, env, ["--service", url, *wanted]), sending(url) as sent:
                    seconds = []
                    for _ in range((VERSIONS - 1) // len(WAYS)):
                        number = str(next(left))
                        start = time.perf_counter()
                        promote_in_ui(visit.page, server.address, "vitrine", number)
                        until_all(url, tag(server.address, number))
                        seconds.append(time.perf_counter() - start)
                failed = sum(status != 200 for _, status in sent)
                each = ", ".join(f"{value:.1f}" for value in seconds)
                print(f"{way}: median {median(seconds):.1f} s ({each}); ", end="")
                print(f"{failed} of {len(sent)} requests failed", flush=True)


def register(repository: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Register `VERSIONS` untrained networks, as if the gate had passed them."""
    draw_catalogue(folder / "data", images=36, size=96, seed=1)
    catalogue = Catalogue(folder / "data")
    for seed in range(1, VERSIONS + 1):
        bundle = export("small_resnet", (80, 64), catalogue, folder, seed)
        command = [sys.executable, "tests/registering.py", str(bundle), "--alias", "challenger"]
        run(command, repository, dict(env))


def tag(address: str, number: str) -> str:
    """Return the tag that a version has in BentoML's store."""
    version = MlflowClient(address, address).get_model_version("vitrine", number)
    return f"vitrine:v{number}-{version.tags['bundle_digest'][:8]}"


@contextmanager
def watching(repository: Path, env: Mapping[str, str], options: list[str]) -> Iterator[None]:
    """Run `vitrine watch` until the block ends."""
    command = [str(Path(sys.executable).parent / "vitrine"), "watch", *options]
    process = subprocess.Popen(
        command, cwd=repository, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "is in service" in line:
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


if __name__ == "__main__":
    main()
