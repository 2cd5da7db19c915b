"""The notes of a release: the model card, after what identifies the version."""

from pathlib import Path

import pytest

from vitrine import tracking
from vitrine.core.errors import ReleaseError
from vitrine.release.card import card

CARD = "# Model card\n\nIt tells the style.\n\n![Calibration](plots/calibration.png)\n\n## Limits\n"


def version(store: Path, tags: dict[str, str], text: str = CARD) -> str:
    """Make a version with these tags, the champion, whose run holds a card; return the run."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    with tracking.pipeline_run(None) as run:
        if text:
            path = store / "card.md"
            path.write_text(text)
            run.log_file(path, "evaluate")
    client.create_registered_model("vitrine")
    client.create_model_version("vitrine", store.as_uri(), run.id, tags=tags)
    tracking.set_alias("vitrine", "champion", "1")
    return run.id


def test_what_identifies_it_comes_first_and_pictures_stay_in_the_run(store: Path) -> None:
    tags = {"gate": "passed", "bundle_digest": "a" * 64, "data_digest": "b" * 32 + ".dir"}
    run = version(store, {**tags, "git_commit": "c" * 40})
    text = card("vitrine", "champion")
    assert text == card("vitrine", "1")
    assert (
        text
        == f"""\
| Version | vitrine 1 |
| --- | --- |
| Gate | passed |
| Bundle | `{"a" * 64}` |
| Data | `{"b" * 32}.dir` |
| Commit | `{"c" * 40}` |
| MLflow run | `{run}` |

# Model card

It tells the style.


## Limits
"""
    )


def test_an_overridden_gate_is_told_with_its_reason(store: Path) -> None:
    version(store, {"gate": "failed", "gate_overridden": "sale | <b>now</b> (me)"})
    text = card("vitrine", "champion")
    assert "| Gate | failed, overridden: sale \\| &lt;b&gt;now&lt;/b&gt; (me) |" in text
    assert "| Bundle | unknown |" in text


def test_a_version_without_a_card(store: Path) -> None:
    version(store, {}, text="")
    with pytest.raises(ReleaseError, match="has no model card, evaluate/card.md in its run"):
        card("vitrine", "champion")
    with pytest.raises(ReleaseError, match="has no version 7"):
        card("vitrine", "7")
