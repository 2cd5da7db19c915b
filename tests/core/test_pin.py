"""The pin in bentofile.yaml: what is written is what is read, and a broken file is named."""

from pathlib import Path

import pytest
import yaml

from clones import ROOT
from vitrine.core.errors import ReleaseError, ServiceError
from vitrine.core.pin import pinned, pinned_tag

TAG = "vitrine:v7-0123abcd"
OTHER = "vitrine:v8-fedcba98"


def test_a_written_pin_is_read_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "bentofile.yaml"
    before = (ROOT / "bentofile.yaml").read_text(encoding="utf-8")
    for tag in (TAG, OTHER):
        path.write_text(pinned(before, tag), encoding="utf-8")
        assert pinned_tag(path) == tag
    after = path.read_text(encoding="utf-8")
    changed = set(after.splitlines()) ^ set(before.splitlines())
    assert all(line.startswith("models:") for line in changed)
    assert pinned(after, OTHER) == after


@pytest.mark.parametrize("text", ["", "service: a", "models:\n- {tag: a, alias: champion}", "a: ["])
def test_models_that_are_not_in_one_line_are_not_pinned(text: str) -> None:
    with pytest.raises(ReleaseError, match=r"must hold its models in one line .* write `models: "):
        pinned(text, TAG)


@pytest.mark.parametrize(
    ("models", "tag"),
    [
        ([{"tag": OTHER, "alias": "other"}, {"tag": TAG, "alias": "champion"}], TAG),
        ([{"tag": TAG, "alias": "other"}, TAG], None),
        ([], None),
        (None, None),
    ],
)
def test_only_the_alias_pins(tmp_path: Path, models: object, tag: str | None) -> None:
    path = tmp_path / "bentofile.yaml"
    path.write_text(yaml.safe_dump({"service": "a", "models": models}), encoding="utf-8")
    assert pinned_tag(path) == tag


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"models: [{tag", "is not YAML: .*; correct it"),
        (b"\xff\xfe\x00models", "is not YAML: "),
        (b"", "is no bentofile: it holds no keys"),
        (b"- models", "is no bentofile: it holds no keys"),
        (b"models: vitrine", "models must be a list, but got 'vitrine'"),
        (b"models: [{alias: champion}]", "the tag of champion must be a text, but got None"),
        (b"models: [{alias: champion, tag: 7}]", "the tag of champion must be a text, but got 7"),
    ],
)
def test_a_broken_bentofile_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bentofile.yaml"
    path.write_bytes(content)
    with pytest.raises(ServiceError, match=f"bentofile.yaml.*{words}"):
        pinned_tag(path)


def test_a_missing_bentofile_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"bentofile\.yaml cannot be read: No such file"):
        pinned_tag(tmp_path / "bentofile.yaml")
