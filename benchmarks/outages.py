"""Claim: a killed worker and an overload cost little, and the service is healthy soon after.

Run: `python benchmarks/outages.py`, with `wrk` on the PATH. `bentoml serve` with two workers
answers JPEGs of 300 x 400 pixels by an untrained small_resnet. First a worker is killed (SIGKILL)
under a steady load; then ten times as many connections as images may wait ask as fast as they can.
"""

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from measure import where
from reload import memory, until_all
from untrained import NETWORKS, export

from served import encoded, knocking, post, served
from serving import environment, load, lone, prepare
from vitrine.core.manifest import Catalogue
from vitrine.demo import draw_catalogue

BACKBONE = "small_resnet"
RATE = 50
BEFORE = 3.0
AFTER = 15.0
PLACES = 2 * 64
SECONDS = 10


def main() -> None:
    """Print what was lost, and for how long."""
    if not shutil.which("wrk"):
        raise SystemExit("error: wrk is not on the PATH; Debian's package is called wrk")
    print(where())
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        draw_catalogue(place / "data", images=36, size=96, seed=1)
        catalogue = Catalogue(place / "data")
        prepare(place, export(BACKBONE, NETWORKS[BACKBONE], catalogue, place, 1))
        env = environment(place, "f32")
        with served(folder=place, env=env) as (client, _):
            kill(client)
        with served(folder=place, env=env) as (client, _):
            overload(client, env)


def kill(client: httpx.Client) -> None:
    """Kill a worker under load."""
    url = str(client.base_url).rstrip("/")
    tag = client.get("/model").json()["tag"]
    victim, _ = until_all(url, tag)
    picture = encoded("JPEG")

    def one(_: int) -> tuple[float, str]:
        start = time.monotonic()
        try:
            # A connection of its own, as behind a proxy that does not keep them.
            answer = httpx.post(f"{url}/classify", files={"image": ("a.jpg", picture)}, timeout=30)
        except httpx.TransportError as error:
            return start, type(error).__name__
        return start, str(answer.status_code)

    with knocking(one, RATE) as futures:
        time.sleep(BEFORE)
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        while len(workers := set(until_all(url, tag))) < 2 or victim in workers:
            time.sleep(0.05)
        back = time.monotonic() - killed
        time.sleep(max(0.0, AFTER - back))
    sent = [future.result() for future in futures]
    lost = [start - killed for start, outcome in sent if outcome != "200"]
    kinds = dict(Counter(outcome for _, outcome in sent if outcome != "200"))
    print(f"kill -9 of a worker under {RATE} requests/s: {len(lost)} of {len(sent)} lost {kinds}")
    if lost:
        print(f"  sent from {min(lost):.2f} to {max(lost):.2f} s after the kill")
    print(f"  both workers answer again after {back:.1f} s")


def overload(client: httpx.Client, env: dict[str, str]) -> None:
    """Ask with ten times the connections that there are places."""
    url = str(client.base_url).rstrip("/")
    capacity = load(url, env, SECONDS)
    quiet, mib = lone(client), memory(url)
    script = Path(env["BODY"]).with_name("post.lua")
    flood = subprocess.Popen(
        ["wrk", "-t1", f"-c{10 * PLACES}", f"-d{SECONDS}s", "-s", str(script), f"{url}/classify"],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    statuses: Counter[int] = Counter()
    seconds: dict[int, list[float]] = {}
    picture = encoded("JPEG")
    while flood.poll() is None:
        start = time.monotonic()
        answer = post(client, picture)
        statuses[answer.status_code] += 1
        seconds.setdefault(answer.status_code, []).append(time.monotonic() - start)
    ended = time.monotonic()
    while lone(client) > 2 * quiet:
        pass
    healthy = time.monotonic() - ended
    print(f"capacity at concurrency 32: {capacity.rate:.0f}/s")
    print(f"{10 * PLACES} connections at once, wrk says:\n{flood.communicate()[0].strip()}")
    for status, times in sorted(seconds.items()):
        print(
            f"  one more client: {len(times)} x {status}, median "
            f"{statistics.median(times):.2f} s, at most {max(times):.2f} s"
        )
    print(f"  50 lone requests as fast as before after {healthy:.1f} s; MiB {mib} -> {memory(url)}")


if __name__ == "__main__":
    main()
