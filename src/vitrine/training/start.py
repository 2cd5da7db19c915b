"""What a training begins with."""

from pathlib import Path

from vitrine import tracking
from vitrine.bundle.format import NETWORK
from vitrine.core.errors import ModelError
from vitrine.core.params import TrainParams


def start(params: TrainParams, registered: str) -> Path | None:
    """Return the .keras file that `train.weights` names, or None for `none` and `imagenet`.

    Args:
        params: The settings of the training.
        registered: The name of the registered model whose champion may be meant.

    Raises:
        ModelError: There is no champion, or no such file.
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
    path = Path(params.weights)
    if not path.is_file():
        raise ModelError(
            f"train.weights names {path}, which is no file; set it to none, imagenet, champion, "
            "or the path of a .keras file"
        )
    return path
