"""Claim: 100,000 rows of facts go through all suites in at most 60 s, in flat memory.

Run: `python benchmarks/checks.py`. The rows are invented, with one in a hundred at fault in each
way, and compared with an earlier version of as many. Each size is a process of its own, which runs
everything that `vitrine validate` does once the images are measured, the page and its lists aside.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
from measure import ROOT, run, where

from vitrine.core.manifest import Catalogue, ManifestWriter, Row
from vitrine.core.params import Params
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.quality import database
from vitrine.quality.change import find_changes
from vitrine.quality.descriptors import DESCRIPTOR_BYTES
from vitrine.quality.duplicates import near_duplicates
from vitrine.quality.earlier_table import MEASURED, create_earlier_table
from vitrine.quality.expectations import run_checks
from vitrine.quality.facts import Facts, write_facts
from vitrine.quality.report import Report
from vitrine.quality.suites import Typical, validate_checks

SIZES = (10_000, 100_000, 400_000)
STYLES, CATEGORIES = 5, 30


def main() -> None:
    """Print seconds and peak memory for every size."""
    if len(sys.argv) > 1:
        check(int(sys.argv[1]))
        return
    print(where())
    for size in SIZES:
        measured = run([sys.executable, __file__, str(size)], ROOT)
        print(f"{size:,} rows: {measured.output.strip()}, peak {measured.peak_mib:.0f} MiB")


def check(size: int) -> None:
    """Invent a catalogue of this size, check it, and print the seconds of each step."""
    params = Params.load(ROOT / "params.yaml")
    section = params.validate_
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        catalogue, facts = Catalogue(root / "data"), root / "facts.parquet"
        catalogue.root.mkdir()
        taxonomy = _taxonomy()
        with ManifestWriter(catalogue.manifest_path) as writer:
            for row in _rows(size):
                writer.write(row)
        write_facts(facts, _facts(size))
        steps = [("", time.perf_counter())]
        path = root / "catalogue.db"
        with closing(database.open_database(path)) as connection:
            database.load_images(connection, catalogue, facts)
            database.load_files(connection, catalogue.root, ())
            database.load_classes(connection, taxonomy)
            steps.append(("tables", time.perf_counter()))
            edges = near_duplicates(facts, section.integrity)
            database.load_near_duplicates(connection, edges)
            steps.append(("near-duplicates", time.perf_counter()))
            _earlier(connection)
            find_changes(connection, section.change.max_label_psi, section.change.max_fact_psi)
            database.load_replaced(connection)
            steps.append(("change", time.perf_counter()))
            checks = validate_checks(section, taxonomy, Typical.of(connection, section.quality))
            outcomes = run_checks(checks, path, root / "docs")
            steps.append((f"{len(checks)} checks", time.perf_counter()))
            Report(outcomes, connection).write_findings(root / "findings.csv")
            steps.append(("findings", time.perf_counter()))
    parts = [f"{name} {end - start:.1f}" for (_, start), (name, end) in pairwise(steps)]
    print(f"{steps[-1][1] - steps[0][1]:.1f} s ({', '.join(parts)})")


def _taxonomy() -> Taxonomy:
    styles = tuple(Label(name=f"style {number}") for number in range(STYLES))
    categories = tuple(Label(name=f"category {number}") for number in range(CATEGORIES))
    return Taxonomy(styles=styles, categories=categories, forbidden=(("style 0", "category 0"),))


def _rows(size: int) -> Iterator[Row]:
    chance = random.Random(1)
    for number in range(size):
        style = f"style {min(int(chance.expovariate(1)), STYLES - 1)}"
        category = f"category {min(int(chance.expovariate(0.2)), CATEGORIES - 1)}"
        product = f"product {number // 2}" if chance.random() < 0.5 else ""
        yield Row(f"images/{number:08}.jpg", style, category, product, "a title of some words")


def _facts(size: int) -> Iterator[Facts]:
    chance = np.random.default_rng(1)
    for number in range(size):
        odd = chance.random(6) < 0.01
        values = chance.random(8)
        content = int(chance.integers(number)) if odd[0] and number else number
        yield Facts(
            f"images/{number:08}.jpg",
            readable=True,
            format="JPEG",
            width=600,
            height=4000 if odd[1] else 800,
            mode="RGB",
            orientation=1,
            bytes=int(20_000 + 90_000 * values[0]),
            md5=f"{content:032x}",
            sha256=f"{content * 0x9E3779B97F4A7C15 % 2**64:016x}{content:048x}",
            phash=int(chance.integers(2**64, dtype=np.uint64)),
            mirror_hash=int(chance.integers(2**64, dtype=np.uint64)),
            descriptor=chance.bytes(DESCRIPTOR_BYTES),
            aspect_ratio=6.7 if odd[1] else 1.33,
            brightness=float(80 + 150 * values[1]),
            darkest=float(230 if odd[2] else 60 * values[2]),
            brightest=255.0,
            contrast=float(2 if odd[3] else 20 + 60 * values[3]),
            sharpness=float(0.1 if odd[4] else 0.4 + values[4]),
            entropy=float(7 * values[5]),
            colourfulness=float(0 if odd[5] else 5 + 80 * values[6]),
            background=float(values[7]),
            repetition=0.0,
        )


def _earlier(connection: database.sqlite3.Connection) -> None:
    """Fill `earlier_images` with today's images, one in a hundred of them another file then."""
    create_earlier_table(connection)
    columns = ", ".join(MEASURED)
    with connection:
        connection.execute(
            f"INSERT INTO earlier_images (image, md5, style, category, {columns}) SELECT image,"
            " CASE place % 100 WHEN 0 THEN 'another' ELSE md5 END, coalesce(style, ''),"
            f" coalesce(category, ''), {columns} FROM images"
        )


if __name__ == "__main__":
    main()
