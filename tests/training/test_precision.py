"""The precision fits the device, and is put back afterwards."""

from pathlib import Path

import keras
import pytest
import tensorflow as tf

from vitrine.training.precision import computing, cpu_has_bfloat16, gpu_policy


@pytest.mark.parametrize(
    ("precision", "capability", "policy"),
    [
        ("auto", (9, 0), "mixed_bfloat16"),
        ("auto", (7, 5), "mixed_float16"),
        ("auto", (6, 1), "float32"),
        ("bfloat16", (7, 5), "mixed_bfloat16"),
    ],
)
def test_a_gpu_gets_the_16_bits_that_it_is_fast_at(
    precision: str, capability: tuple[int, int], policy: str
) -> None:
    assert gpu_policy(precision, capability) == policy


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx2 avx512_bf16 sha", True), ("amx_bf16", True), ("avx2 avx512f", False)],
)
def test_what_the_cpu_can_is_read_from_its_flags(
    flags: str, expected: bool, tmp_path: Path
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(f"flags : fpu {flags}\n")
    assert cpu_has_bfloat16(path) is expected
    assert cpu_has_bfloat16(tmp_path / "missing") is False


def test_a_cpu_is_told_to_rewrite_only_inside_the_block() -> None:
    def rewriting() -> bool:
        options = tf.config.optimizer.get_experimental_options()
        return bool(options.get("auto_mixed_precision_onednn_bfloat16", False))

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("on a GPU the policy changes instead")
    with computing("bfloat16", "simple_cnn"):
        assert rewriting()
        assert keras.config.dtype_policy().name == "float32"
    assert not rewriting()
    with computing("float32", "small_resnet"):
        assert not rewriting()
