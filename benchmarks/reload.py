"""Claim: taking up ten new models costs no request of 20 a second, and no memory that stays.

Run: `python benchmarks/reload.py`. `bentoml serve` with two workers answers one JPEG of 300 x 400
pixels while the pin goes to and fro between two untrained networks. Per network: how long until all
workers have changed, latency before and while that happens, and a worker's resident memory.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx
from measure import ROOT, run, where
from untrained import NETWORKS, export

from served import STORE, encoded, knocking, pin, post, served
from vitrine.core.manifest import Catalogue
from vitrine.core.pin import BENTOFILE
from vitrine.demo import draw_catalogue

RELOADS = 10
RATE = 20
QUIET_SECONDS = 15
Sent = tuple[float, int]


def main() -> None:
    """Print the figures of every network."""
    print(where())
    with tempfile.TemporaryDirectory() as folder:
        draw_catalogue(Path(folder) / "data", images=36, size=96, seed=1)
        catalogue = Catalogue(Path(folder) / "data")
        for backbone, size in NETWORKS.items():
            place = Path(folder) / backbone
            place.mkdir()
            measure(backbone, size, catalogue, place)


def measure(backbone: str, size: tuple[int, int], catalogue: Catalogue, place: Path) -> None:
    """Print the figures of one network."""
    env = {
        "BENTOML_HOME": str(place / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "VITRINE_SERVING_WORKERS": "2",
        "PYTHONPATH": str(ROOT / "src"),
    }
    shutil.copyfile(ROOT / BENTOFILE, place / BENTOFILE)
    tags = []
    for seed in (1, 2):
        tags.append(f"vitrine:v{seed}-{seed:08d}")
        bundle = export(backbone, size, catalogue, place, seed)
        run([sys.executable, "-c", STORE, tags[-1], str(bundle), str(seed)], place, env)
    pin(place, tags[0])
    with service(place, env) as url:
        until_all(url, tags[0])
        with sending(url) as quiet:
            time.sleep(QUIET_SECONDS)
        before = memory(url)
        with sending(url) as loaded:
            seconds = [reload(place, url, tags[1 - number % 2]) for number in range(RELOADS)]
        after = memory(url)
    print(f"{backbone} at {size[0]}x{size[1]}, until all workers had changed:")
    print(f"  {median(seconds):.1f} s (median of {RELOADS}), at most {max(seconds):.1f} s")
    print(f"  quiet: {_summary(quiet)}")
    print(f"  meanwhile: {_summary(loaded)}")
    print(f"  resident memory of the workers, MiB: {before} before, {after} after")


def _summary(sent: list[Sent]) -> str:
    latencies = [1000 * latency for latency, _ in sent]
    failed = sum(status != 200 for _, status in sent)
    high = quantiles(latencies, n=100)[98]
    times = f"median {median(latencies):.0f}, 99 % {high:.0f}, most {max(latencies):.0f} ms"
    return f"{len(sent)} requests, {failed} failed; {times}"


def reload(place: Path, url: str, tag: str) -> float:
    """Pin a model; return the seconds until every worker answers with it."""
    start = time.perf_counter()
    pin(place, tag)
    until_all(url, tag)
    return time.perf_counter() - start


def until_all(url: str, tag: str) -> list[int]:
    """Wait until every worker answers with a model; return their process ids."""
    told: set[int] = set()
    while True:
        card = httpx.get(f"{url}/model", timeout=30).json()
        if card["tag"] == tag:
            told.add(card["worker"])
        if len(told) == card["workers"]:
            return sorted(told)
        time.sleep(0.02)


def memory(url: str) -> list[int]:
    """Return the resident memory of every worker in MiB."""
    workers = until_all(url, httpx.get(f"{url}/model").json()["tag"])
    pages = [int(Path(f"/proc/{worker}/statm").read_text().split()[1]) for worker in workers]
    return [count * os.sysconf("SC_PAGE_SIZE") // 2**20 for count in pages]


@contextmanager
def service(place: Path, env: dict[str, str]) -> Iterator[str]:
    """Run `bentoml serve` until the block ends; give its address."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with served(folder=place, env={**os.environ, "PATH": path, **env}) as (client, _):
        yield str(client.base_url).rstrip("/")


@contextmanager
def sending(url: str) -> Iterator[list[Sent]]:
    """Send requests at a steady rate; after the block the list holds seconds and status of each."""
    picture = encoded("JPEG")
    sent: list[Sent] = []
    with httpx.Client(base_url=url, timeout=30) as client:

        def one(_: int) -> Sent:
            start = time.perf_counter()
            response = post(client, picture)
            return time.perf_counter() - start, response.status_code

        with knocking(one, RATE) as futures:
            yield sent
        sent.extend(future.result() for future in futures)


if __name__ == "__main__":
    main()
