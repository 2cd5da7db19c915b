"""What a training begins with."""

from pathlib import Path

from vitrine import tracking
from vitrine.bundle.format import INFO, NETWORK, load_info
from vitrine.core.errors import ModelError
from vitrine.core.layout import artifacts
from vitrine.core.params import TrainParams
from vitrine.core.taxonomy import HEADS, UNKNOWN, Head, Taxonomy


def start(params: TrainParams, registered: str) -> Path | None:
    """Return the .keras file that `train.weights` names, or None for `none` and `imagenet`.

    Args:
        params: The settings of the training.
        registered: The name of the registered model whose champion may be meant.

    Raises:
        ModelError: There is no champion, no pretrained backbone, or no such file.
        TrackingError: The registry refuses or does not answer.
    """
    if params.weights in ("none", "imagenet"):
        return None
    if params.weights == "champion":
        bundle = tracking.champion_bundle(registered)
        if bundle is None:
            raise ModelError(
                f"train.weights is champion, but no version of the registered model {registered!r} "
                "has that alias yet; promote one, or set train.weights to none"
            )
        return bundle / NETWORK
    if params.weights == "pretrained":
        made = artifacts("pretrain") / NETWORK
        if not made.is_file():
            raise ModelError(
                f"train.weights is pretrained, but {made} is missing: set pretrain.method to what "
                "it shall learn by and run `dvc repro`, or set train.weights to none"
            )
        return made
    path = Path(params.weights)
    if not path.is_file():
        raise ModelError(
            f"train.weights names {path}, which is no file; set it to none, imagenet, "
            "pretrained, champion, or the path of a .keras file"
        )
    return path


def same_labels(network: Path, taxonomy: Taxonomy) -> dict[Head, list[int]]:
    """Return for every label of a head its place in an earlier network, -1 for a new label.

    Args:
        network: The .keras file. Only beside the rest of its bundle are its labels known; without
            that nothing is returned.
        taxonomy: The labels of today.

    Raises:
        BundleError: What lies beside the file is no bundle that can be read.
    """
    if not (network.parent / INFO).is_file():
        return {}
    earlier = load_info(network.parent).taxonomy
    places = {head: {name: at for at, name in enumerate(earlier.names(head))} for head in HEADS}
    return {
        head: [places[head].get(name, UNKNOWN) for name in taxonomy.names(head)] for head in HEADS
    }
