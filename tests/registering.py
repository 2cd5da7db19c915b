"""A bundle in the registry as the pipeline leaves it there: with its run, verdict and lineage."""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from vitrine import tracking
from vitrine.bundle.format import load_info


def register(bundle: Path, name: str, *, gate: str, alias: str) -> str:
    """Register a bundle, whoever made it, as a version with a whole lineage; return its number.

    The gate's verdict is taken as given: `passed` or `failed`.
    """
    with tracking.pipeline_run(None) as run, tempfile.TemporaryDirectory() as folder:
        facts = tracking.run_facts(run.id)
        assert facts is not None
        origin = {key: facts.tags[key] for key in ("git_commit", "data_digest")}
        copy = Path(shutil.copytree(bundle, Path(folder) / "bundle"))
        info = load_info(copy)
        lineage = info.lineage.model_copy(update={"run_id": run.id, **origin})
        info.model_copy(update={"lineage": lineage}).save(copy)
        reasons = "style macro F1 0.1 is below 0.4" if gate == "failed" else "all is well"
        tags = {
            **origin,
            "params_digest": lineage.params_digest,
            "bundle_digest": info.digest,
            "gate": gate,
            "gate_reasons": reasons,
        }
        number = tracking.register_bundle(copy, name, run.id, tags)
        verdict = Path(folder) / "verdict.json"
        verdict.write_text(json.dumps({"gate": gate, "bundle_digest": info.digest}))
        run.log_file(verdict, tracking.verdict_folder(info.digest))
        run.log_metrics({"test/style_macro_f1": 0.75, "test/category_macro_f1": 0.5})
    tracking.set_alias(name, alias, number)
    return number


def version(name: str, number: str) -> tracking.Version:
    """Return a version that must be there."""
    found = tracking.find_version(name, number)
    assert found is not None
    return found


def main() -> None:
    """Register the bundle that the command line names with the model `vitrine`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--alias", required=True)
    given = parser.parse_args()
    register(given.bundle, "vitrine", gate="passed", alias=given.alias)


if __name__ == "__main__":
    main()
