from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clones import ROOT
from vitrine.core.errors import ParamsError
from vitrine.core.params import Params, override

Tree = dict[str, Any]


@pytest.fixture
def tree(params: Params) -> Tree:
    return params.model_dump(mode="json", by_alias=True)


def _write(folder: Path, tree: Tree) -> Path:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


def _misspell(tree: Tree) -> None:
    tree["train"]["learning_rte"] = tree["train"].pop("learning_rate")


def _misspell_deep(tree: Tree) -> None:
    tree["train"]["augment"]["rotatoin"] = 0.1


def _misspell_section(tree: Tree) -> None:
    tree["evalute"] = tree.pop("evaluate")


def _drop(tree: Tree) -> None:
    del tree["export"]["tolerance"]


def _zero_epochs(tree: Tree) -> None:
    tree["train"]["epochs"] = 0


def _no_train(tree: Tree) -> None:
    tree["prepare"].update(val_share=0.6, test_share=0.4)


def _search_unknown(tree: Tree) -> None:
    tree["tune"]["search"] = {"depth": {"choices": [1, 2]}}


def _search_upside_down(tree: Tree) -> None:
    tree["tune"]["search"] = {"dropout": {"low": 0.5, "high": 0.1}}


def _misspell_suite(tree: Tree) -> None:
    tree["validate"]["quality"]["min_sharpnes"] = tree["validate"]["quality"].pop("min_sharpness")


def _unknown_severity(tree: Tree) -> None:
    tree["validate"]["severity"] = {"blurry": "fatal"}


def _severity_by_number(tree: Tree) -> None:
    tree["prepare"]["severity"] = {"leaked_products": True}


def _nothing_pretrained(tree: Tree) -> None:
    tree["pretrain"]["method"] = "none"
    tree["train"]["weights"] = "pretrained"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_misspell, "train.learning_rte is not a known key; did you mean train.learning_rate?"),
        (
            _misspell_deep,
            "train.augment.rotatoin is not a known key; did you mean train.augment.rotation?",
        ),
        (_misspell_section, "evalute is not a known key; did you mean evaluate?"),
        (_drop, "the key export.tolerance is missing; add it"),
        (_zero_epochs, "train.epochs: input should be greater than or equal to 1, but got 0"),
        (_no_train, "prepare: val_share and test_share must leave some images for train"),
        (_search_unknown, "tune: search names 'depth', which is no searchable key of train"),
        (
            _misspell_suite,
            "validate.quality.min_sharpnes is not a known key; did you mean "
            "validate.quality.min_sharpness?",
        ),
        (
            _unknown_severity,
            "validate.severity.blurry: input should be 'error', 'warning' or 'off', but got "
            "'fatal'",
        ),
        (
            _severity_by_number,
            "prepare.severity.leaked_products: input should be 'error', 'warning' or 'off', but "
            "got True",
        ),
        (
            _nothing_pretrained,
            ": train.weights is pretrained, but pretrain.method is none: set the method to "
            "simclr, or train.weights to none",
        ),
        (_search_upside_down, "tune.search.dropout: low must be below high, but got 0.5 and 0.1"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key(
    tree: Tree, tmp_path: Path, change: Callable[[Tree], None], words: str
) -> None:
    change(tree)
    with pytest.raises(ParamsError) as caught:
        Params.load(_write(tmp_path, tree))
    assert str(caught.value).endswith(words)
    assert str(caught.value).startswith(str(tmp_path / "params.yaml"))


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="run the command from the root of the repository"):
        Params.load(tmp_path / "params.yaml")


def test_broken_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("train: [", encoding="utf-8")
    with pytest.raises(ParamsError, match="is not valid UTF-8 YAML"):
        Params.load(path)


def test_the_digest_follows_values_not_their_order(tree: Tree, tmp_path: Path) -> None:
    first = Params.load(_write(tmp_path, tree)).digest()
    again = Params.load(_write(tmp_path, dict(reversed(tree.items())))).digest()
    tree["train"]["seed"] += 1
    other = Params.load(_write(tmp_path, tree)).digest()
    assert first == again != other


def test_override_checks_again(params: Params) -> None:
    assert override(params.train, {"epochs": 3}).epochs == 3
    with pytest.raises(ParamsError, match="epochs: input should be"):
        override(params.train, {"epochs": -1})
    with pytest.raises(ParamsError, match="did you mean dropout"):
        override(params.train, {"dropot": 0.1})


@pytest.mark.parametrize("off", ["off", "'off'", "Off"])
def test_a_check_is_switched_off_as_people_write_it(tmp_path: Path, off: str) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("severity: {}", f"severity: {{blurry: error, greyscale: {off}}}"))
    params = Params.load(path)
    assert params.validate_.severity == {"blurry": "error", "greyscale": "off"}
    assert params.prepare.severity == params.validate_.severity
