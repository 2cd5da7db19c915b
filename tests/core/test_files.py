from pathlib import Path

import pytest

from vitrine.core.files import atomic_file, atomic_folder, write_json


def test_a_file_is_replaced_only_on_success(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    with atomic_file(path) as temporary:
        temporary.write_text("one")
    with pytest.raises(OSError, match="full"), atomic_file(path) as temporary:
        temporary.write_text("tw")
        raise OSError("full")
    assert path.read_text() == "one"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_replaced_only_on_success(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    for content in ("one", "two"):
        with atomic_folder(path) as temporary:
            (temporary / "a").write_text(content)
    with pytest.raises(RuntimeError), atomic_folder(path) as temporary:
        (temporary / "a").write_text("three")
        raise RuntimeError
    assert (path / "a").read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_json_keeps_order_and_letters(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": "é", "a": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "b": "é",\n  "a": 1\n}\n'
