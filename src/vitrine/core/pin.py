"""The line of bentofile.yaml that pins the model to serve: its writer and its reader."""

import re
from pathlib import Path
from typing import Any

import yaml

from vitrine.core.errors import ReleaseError, ServiceError

BENTOFILE = Path("bentofile.yaml")
ALIAS = "champion"
"""The name under which the model is pinned, and under which BentoML finds it."""
_MODELS = re.compile(r"^models:.*$", re.MULTILINE)


def pinned(text: str, tag: str) -> str:
    """Return the text of a bentofile with its models replaced by one, the rest as it was.

    Args:
        text: The bentofile, with its models in one line.
        tag: The model's tag in BentoML's store.

    Raises:
        ReleaseError: The models are not in one line.
    """
    line = f'models: [{{tag: "{tag}", alias: {ALIAS}}}]'
    replaced = _MODELS.sub(line, text)
    try:
        as_wanted = yaml.safe_load(replaced) == {**yaml.safe_load(text), **yaml.safe_load(line)}
    except (yaml.YAMLError, TypeError):
        as_wanted = False
    if not as_wanted:
        raise ReleaseError(
            f"{BENTOFILE} must hold its models in one line to be pinned: write `{line}` there"
        )
    return replaced


def pinned_tag(path: Path) -> str | None:
    """Return the tag that a bentofile pins under the alias, or None when it pins none.

    Raises:
        ServiceError: The file cannot be read, or is no bentofile.
    """
    models = _read(path).get("models") or []
    if not isinstance(models, list):
        raise ServiceError(f"{path}: models must be a list, but got {models!r}; correct it")
    for model in models:
        if isinstance(model, dict) and model.get("alias") == ALIAS:
            tag = model.get("tag")
            if not isinstance(tag, str):
                raise ServiceError(
                    f"{path}: the tag of {ALIAS} must be a text, but got {tag!r}; correct it"
                )
            return tag
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ServiceError(f"{path} cannot be read: {error.strerror}; restore it") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise ServiceError(f"{path} is not YAML: {first}; correct it") from None
    if not isinstance(tree, dict):
        raise ServiceError(f"{path} is no bentofile: it holds no keys; restore it")
    return tree
