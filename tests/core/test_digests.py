from pathlib import Path

import pytest

from vitrine.core.digests import data_digest, folder_digest, json_digest
from vitrine.core.errors import DataError


def test_a_folder_digest_sees_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    both = folder_digest(tmp_path, ["a", "b"])
    assert both == folder_digest(tmp_path, ["b", "a"])
    (tmp_path / "a").write_text("2")
    (tmp_path / "b").write_text("1")
    assert both != folder_digest(tmp_path, ["a", "b"])


def test_a_json_digest_is_the_published_sha256() -> None:
    # printf '{"a":1,"b":[2]}' | sha256sum
    expected = "0855bfc20eb6cfaa4be7d6b510c63dd22997718bddadcb1a4915cec3a16145b9"
    assert json_digest({"b": [2], "a": 1}) == expected


@pytest.mark.parametrize("text", ["", "outs: []", "outs: [{path: data}]", "a: ["])
def test_a_pointer_without_a_digest_is_refused(tmp_path: Path, text: str) -> None:
    pointer = tmp_path / "data.dvc"
    with pytest.raises(DataError, match="version the data with `dvc add data` first"):
        data_digest(pointer)
    pointer.write_text(text)
    with pytest.raises(DataError, match="make it anew with `dvc add data`"):
        data_digest(pointer)


def test_the_pointer_names_the_data(tmp_path: Path) -> None:
    pointer = tmp_path / "data.dvc"
    pointer.write_text("outs:\n- md5: abc.dir\n  path: data\n")
    assert data_digest(pointer) == "abc.dir"
