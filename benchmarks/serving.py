"""Claim: the service answers more images a core than what one would otherwise build.

Run: `python benchmarks/serving.py [NETWORK]`, with `wrk` on the PATH. For each network and
precision: Vitrine's service with two workers against (a) the usual BentoML service, (b) FastAPI
with a `tf.function`, (c) plain Starlette with the same OpenVINO graph, (d) the bare runtime without
HTTP; see `contestants/`. (b) and (c) have two workers, (a) what BentoML chooses. All are up at the
same time; in each round each is asked in turn at concurrency 32 for a JPEG of 300 x 400 pixels.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
from measure import ROOT, run, where
from reload import memory
from untrained import NETWORKS, export

from served import STORE, encoded, pin, post, served
from servers import free_port
from vitrine.core.manifest import Catalogue
from vitrine.core.pin import BENTOFILE
from vitrine.demo import draw_catalogue

CONTESTANTS = Path(__file__).parent / "contestants"
CONCURRENCY = 32
ROUNDS = 3
SECONDS = 5
BATCHES = (1, 4, 8, 16, 32)
BOUNDARY = "vitrine-benchmark"
WRK = """
wrk.method = "POST"
wrk.body = io.open(os.getenv("BODY"), "rb"):read("*a")
wrk.headers["Content-Type"] = "multipart/form-data; boundary=vitrine-benchmark"
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw: answers a second, the 99th percentile in seconds, answers other than 200."""

    rate: float
    p99: float
    failed: int


def main() -> None:
    """Print the figures of every network."""
    if not shutil.which("wrk"):
        raise SystemExit("error: wrk is not on the PATH; Debian's package is called wrk")
    print(where())
    chosen = sys.argv[1:] or list(NETWORKS)
    with tempfile.TemporaryDirectory() as folder:
        draw_catalogue(Path(folder) / "data", images=36, size=96, seed=1)
        catalogue = Catalogue(Path(folder) / "data")
        for backbone in chosen:
            place = Path(folder) / backbone
            place.mkdir()
            prepare(place, export(backbone, NETWORKS[backbone], catalogue, place, 1))
            for precision in ("f32", "bf16"):
                print(f"\n{backbone} at {NETWORKS[backbone]}, {precision}")
                compare(place, precision)


def prepare(place: Path, bundle: Path) -> None:
    """Put a bundle into a store, and what is sent into files."""
    picture = encoded("JPEG")
    (place / "picture.jpg").write_bytes(picture)
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="shoe.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    (place / "body").write_bytes(head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode())
    (place / "post.lua").write_text(WRK)
    shutil.copyfile(ROOT / BENTOFILE, place / BENTOFILE)
    tag = "vitrine:v1-00000001"
    run([sys.executable, "-c", STORE, tag, str(bundle), "1"], place, environment(place, "f32"))
    pin(place, tag)


def environment(place: Path, precision: str) -> dict[str, str]:
    """Return what the processes of all contestants are told."""
    return {
        **os.environ,
        "BENTOML_HOME": str(place / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "VITRINE_SERVING_WORKERS": "2",
        "VITRINE_SERVING_PRECISION": precision,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{CONTESTANTS}",
        "NETWORK": str(place / "model.keras"),
        "BUNDLE": str(place / "bundle1"),
        "PRECISION": precision,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "BODY": str(place / "body"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def compare(place: Path, precision: str) -> None:
    """Print the figures of one network in one precision."""
    env = environment(place, precision)
    with ExitStack() as running:
        start = time.perf_counter()
        ours, _ = running.enter_context(served(folder=place, env=env))
        ready = time.perf_counter() - start
        url = str(ours.base_url).rstrip("/")
        empty = place / "empty"
        empty.mkdir(exist_ok=True)
        usual, _ = running.enter_context(served("usual_bentoml:Usual", folder=empty, env=env))
        addresses = {
            "Vitrine": url,
            "(a) usual BentoML": str(usual.base_url).rstrip("/"),
            "(b) FastAPI, tf.function": running.enter_context(uvicorn("fastapi_function", env)),
            "(c) Starlette, OpenVINO": running.enter_context(uvicorn("starlette_openvino", env)),
        }
        before = lone(ours)
        for address in addresses.values():
            load(address, env, 1)
        loads: dict[str, list[Load]] = {name: [] for name in addresses}
        after: list[float] = []
        ceilings: list[float] = []
        for _ in range(ROUNDS):
            for name, address in addresses.items():
                loads[name].append(load(address, env, SECONDS))
                if name == "Vitrine":
                    after.append(lone(ours))
            ceilings.append(ceiling(place, env))
        mib, totals = memory(url), ours.get("/metrics").text
    report(loads, ceilings)
    print(f"ready after {ready:.1f} s; resident memory of the workers: {mib} MiB")
    print(f"a lone request: {1e3 * before:.1f} ms before, {1e3 * median(after):.1f} right after")
    explain(totals, median(one.rate for one in loads["Vitrine"]))


def report(loads: dict[str, list[Load]], ceilings: list[float]) -> None:
    """Print a line for each contestant."""
    ours = median(one.rate for one in loads["Vitrine"])
    for name, rounds in loads.items():
        rate = median(one.rate for one in rounds)
        p99 = median(one.p99 for one in rounds)
        failed = sum(one.failed for one in rounds)
        print(
            f"{name:26} {rate:7.1f}/s  p99 {1e3 * p99:6.1f} ms = {p99 * rate / CONCURRENCY:.2f} x "
            f"{CONCURRENCY}/rate  Vitrine is {ours / rate:5.2f} x  {failed} failed"
        )
    bare = median(ceilings)
    print(f"{'(d) bare runtime':26} {bare:7.1f}/s  {'':33} Vitrine is {ours / bare:5.2f} x")


def explain(totals: str, rate: float) -> None:
    """Print what an image costs a worker, and what of it is decoding and inference."""

    def total(name: str) -> float:
        found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", totals, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    images = total("vitrine_batch_images_sum")
    decode = total("vitrine_decode_seconds_sum") / images
    inference = total("vitrine_inference_seconds_sum") / images
    batch = images / total("vitrine_batch_images_count")
    print(
        f"a worker's time an image: {2e3 / rate:.2f} ms; waited for decoding {1e3 * decode:.2f}, "
        f"for inference {1e3 * inference:.2f} (these overlap); {batch:.1f} images a batch"
    )


def load(url: str, env: dict[str, str], seconds: int) -> Load:
    """Ask as fast as answers come, at the concurrency."""
    command = ["wrk", "--latency", "-t1", f"-c{CONCURRENCY}", f"-d{seconds}s", "--timeout", "30s"]
    script = Path(env["BODY"]).with_name("post.lua")
    done = subprocess.run(
        [*command, "-s", str(script), f"{url}/classify"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    rate = re.search(r"Requests/sec:\s+(\S+)", done.stdout)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if not rate or not p99:
        raise SystemExit(f"error: wrk says nothing of use:\n{done.stdout}")
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[p99.group(2)]
    return Load(
        float(rate.group(1)), float(p99.group(1)) * unit, int(failed.group(1)) if failed else 0
    )


def lone(client: httpx.Client) -> float:
    """Return the median seconds of requests that come one after the other."""
    picture, seconds = encoded("JPEG"), []
    for _ in range(50):
        start = time.perf_counter()
        post(client, picture).raise_for_status()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def ceiling(place: Path, env: dict[str, str]) -> float:
    """Return the images a second of one process a core, at their best batch size."""
    return max(_bare(place, env, batch) for batch in BATCHES)


def _bare(place: Path, env: dict[str, str], batch: int) -> float:
    command = [sys.executable, str(CONTESTANTS / "ceiling.py"), env["BUNDLE"], env["PRECISION"]]
    command += [str(batch), "2", str(place / "picture.jpg")]
    processes = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(os.cpu_count() or 1)
    ]
    return sum(float(process.communicate()[0].split()[0]) for process in processes)


@contextmanager
def uvicorn(module: str, env: dict[str, str]) -> Iterator[str]:
    """Run an app of `contestants/` with two workers until the block ends; give its address."""
    port = str(free_port())
    command = ["uvicorn", f"{module}:app", "--workers", "2", "--port", port]
    process = subprocess.Popen([*command, "--log-level", "error"], env=env, cwd=CONTESTANTS)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
