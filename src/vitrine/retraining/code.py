"""Whether code changed in a way that counts: comments, docstrings and layout do not."""

import ast
import warnings
from pathlib import Path
from typing import Any

from vitrine.core.digests import dvc_digest
from vitrine.retraining.finding import Finding
from vitrine.retraining.history import EarlierFiles, History, is_shallow

ONLY_LAYOUT = "only comments, docstrings or layout"
# Where docstrings are read, they are part of what the module does.
_READERS = (b"__doc__", b"getdoc")


def alike(name: str, before: bytes, after: bytes) -> bool:
    """Return whether two texts of a file do the same.

    Python is compared by its syntax tree without the strings that nothing uses. Other files, and
    what is not valid Python, are compared byte by byte.

    Args:
        name: Of the file; one that ends in `.py` is Python.
        before: The earlier text.
        after: The later text.
    """
    if before == after:
        return True
    if not name.endswith(".py"):
        return False
    strings_count = any(reader in text for reader in _READERS for text in (before, after))
    try:
        return _shape(before, strings_count) == _shape(after, strings_count)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


class _WithoutStrings(ast.NodeTransformer):
    """Takes out the statements that are nothing but a string."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Return the statement; None for a string."""
        value = node.value
        return None if isinstance(value, ast.Constant) and isinstance(value.value, str) else node


def _shape(text: bytes, strings_count: bool) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    return ast.dump(tree if strings_count else _WithoutStrings().visit(tree))


def judge_files(dependency: Any, history: History) -> Finding:
    """Compare a file or folder of code with what it was when the stage last ran.

    Args:
        dependency: DVC's object; it has a digest from dvc.lock.
        history: Where the earlier texts are looked for.
    """
    name, recorded = str(dependency), dependency.hash_info
    if not dependency.exists:
        return Finding((f"{name}: missing",))
    if dependency.get_hash() == recorded:
        return Finding()
    path = Path(dependency.fs_path)
    earlier = history.find(path, recorded.value)
    if earlier is None:
        shallow = ", which is shallow here" if is_shallow() else ""
        return Finding((f"{name}: changed; what it was is not in git's history{shallow}",))
    return _compare(name, earlier, _current(dependency, path), path)


def _current(dependency: Any, path: Path) -> dict[str, str]:
    """Return the MD5 of each file by its name in the folder; a file itself has the name ""."""
    root = str(path)
    if path.is_file():
        return {"": dvc_digest(path.read_bytes())}
    files = dependency.repo.dvcignore.find(dependency.fs, root)
    return {file[len(root) + 1 :]: dvc_digest(Path(file).read_bytes()) for file in files}


def _compare(name: str, earlier: EarlierFiles, current: dict[str, str], path: Path) -> Finding:
    before = earlier.digests
    reasons, ignored = [], []
    for file in sorted(before.keys() | current.keys()):
        label = f"{name}/{file}".rstrip("/")
        if file not in before:
            reasons.append(f"{label}: new")
        elif file not in current:
            reasons.append(f"{label}: gone")
        elif before[file] != current[file]:
            if alike(label, earlier.read(file), (path / file).read_bytes()):
                ignored.append(f"{label}: {ONLY_LAYOUT}")
            else:
                reasons.append(f"{label}: changed")
    return Finding(tuple(reasons), tuple(ignored))
