"""The training step of small_resnet in PyTorch, asked by `step_speed.py`. Needs PyTorch alone.

It is the same network: layers and weights are called as in `vitrine.models.small_resnet`, and
`--check` answers an image with the weights of a Keras model, so that the answers can be compared.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HEADS = ("style", "category")
WARM_UP = 10
"""Steps that are not measured."""
STEM = 32
WIDTHS = (64, 128, 256)
BLOCKS = (1, 0, 1)
WEIGHTS = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
"""What PyTorch calls the weights that Keras calls so."""


class SmallResNet(nn.Module):
    """Vitrine's `small_resnet` with its two heads.

    Args:
        classes: How many classes each head tells apart.
    """

    def __init__(self, classes: dict[str, int]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict()
        self._convolution("stem", 3, STEM, 2)
        before = STEM
        for stage, (width, blocks) in enumerate(zip(WIDTHS, BLOCKS, strict=True), start=1):
            self._convolution(f"stage{stage}", before, width, 1)
            for block in range(1, blocks + 1):
                for half in ("first", "second"):
                    self._convolution(f"stage{stage}_block{block}_{half}", width, width, 1)
            before = width
        for head, count in classes.items():
            self.layers[head] = nn.Linear(before, count)
        self.heads = list(classes)

    def _convolution(self, name: str, before: int, width: int, stride: int) -> None:
        # Keras pads an even side below and on the right only where a stride of 2 follows.
        self.layers[f"{name}_conv"] = nn.Conv2d(
            before, width, 3, stride=stride, padding=2 - stride, bias=False
        )
        self.layers[f"{name}_norm"] = nn.BatchNorm2d(width, eps=1e-3, momentum=0.1)

    def _convolve(self, name: str, x: torch.Tensor) -> torch.Tensor:
        convolution = self.layers[f"{name}_conv"]
        if convolution.stride[0] == 2:
            x = functional.pad(x, (0, 1, 0, 1))
        return functional.relu(self.layers[f"{name}_norm"](convolution(x)))

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return logits by head for images `(batch, 3, height, width)` float in 0 to 255."""
        x = self._convolve("stem", image / 127.5 - 1)
        for stage, blocks in enumerate(BLOCKS, start=1):
            x = functional.max_pool2d(self._convolve(f"stage{stage}", x), 2)
            for block in range(1, blocks + 1):
                name = f"stage{stage}_block{block}"
                x = x + self._convolve(f"{name}_second", self._convolve(f"{name}_first", x))
        x = functional.dropout(x.mean((2, 3)), 0.2, self.training)
        return {head: self.layers[head](x) for head in self.heads}


def load(network: SmallResNet, weights: dict[str, np.ndarray]) -> None:
    """Give a network the weights of a Keras model, by `layer/weight`."""
    own = network.state_dict()
    for key, value in weights.items():
        layer, _, weight = key.partition("/")
        # Convolutions are (height, width, in, out) there and (out, in, height, width) here.
        axes = (3, 2, 0, 1) if value.ndim == 4 else tuple(reversed(range(value.ndim)))
        own[f"layers.{layer}.{WEIGHTS[weight]}"].copy_(torch.from_numpy(value.transpose(axes)))


def optimizer(network: SmallResNet) -> torch.optim.AdamW:
    """Return AdamW whose weight decay leaves out norms and biases."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-3, eps=1e-7, fused=True)


def loss(logits: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the sum of the heads' cross-entropies, averaged over the images with a label."""
    total = torch.zeros(())
    for head, target in targets.items():
        count = target.shape[1]
        mass = target.sum(1, keepdim=True)
        smooth = 0.95 * target + 0.05 * mass / count
        each = -(smooth * functional.log_softmax(logits[head].float(), 1)).sum()
        total = total + each / mass.sum().clamp(min=1)
    return total


def check(path: str) -> None:
    """Compare the logits and the loss of a Keras model with those of the same weights here."""
    given = np.load(path)
    targets = {head: torch.from_numpy(given[f"target {head}"]) for head in HEADS}
    network = SmallResNet({head: target.shape[1] for head, target in targets.items()}).eval()
    load(network, {key: given[key] for key in given.files if "/" in key})
    with torch.inference_mode():
        logits = network(torch.from_numpy(given["image"]).permute(0, 3, 1, 2))
        off = max(float(np.abs(logits[h].numpy() - given[f"logits {h}"]).max()) for h in HEADS)
        apart = abs(float(loss(logits, targets)) - float(given["loss"]))
    largest = max(float(np.abs(given[f"logits {head}"]).max()) for head in HEADS)
    print(json.dumps({"parameters": size(network), "off": off, "of": largest, "loss off": apart}))


def size(network: SmallResNet) -> int:
    """Return how many numbers a network holds, running statistics included."""
    return sum(one.numel() for one in network.state_dict().values() if one.ndim)


def steps(options: argparse.Namespace) -> Iterator[float]:
    """Yield after each training step on one constant batch, with its loss."""
    network = SmallResNet({"style": options.classes[0], "category": options.classes[1]})
    network.train().to(memory_format=torch.channels_last)
    adamw = optimizer(network)
    ready: Callable[[torch.Tensor], dict[str, torch.Tensor]] = network
    if options.compile:
        ready = torch.compile(network)
    image = torch.rand(options.batch, 3, options.height, options.width) * 255
    image = image.contiguous(memory_format=torch.channels_last)
    targets = {
        head: functional.one_hot(torch.randint(count, (options.batch,)), count).float()
        for head, count in zip(HEADS, options.classes, strict=True)
    }
    while True:
        adamw.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            logits = ready(image)
        value = loss(logits, targets)
        value.backward()
        adamw.step()
        yield value.item()


def main() -> None:
    """Print the images a second, or what `--check` finds, as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["f32", "bf16"], default="bf16")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--height", type=int, default=80)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--classes", type=int, nargs=2, default=[5, 60])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--check", metavar="FILE")
    options = parser.parse_args()
    if options.check:
        check(options.check)
        return
    training = steps(options)
    for _ in range(WARM_UP):
        next(training)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() < begun + options.seconds:
        next(training)
        count += 1
    speed = count * options.batch / (time.perf_counter() - begun)
    print(json.dumps({"images_per_second": speed}))


if __name__ == "__main__":
    main()
