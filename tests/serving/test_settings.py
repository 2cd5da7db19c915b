"""The service's settings come from environment variables."""

import pytest

from vitrine.core.errors import ServiceError
from vitrine.serving.settings import Settings


def test_variables_without_our_prefix_are_left_alone() -> None:
    assert Settings.read({"PATH": "/bin", "VITRINE_SOMETHING": "1"}) == Settings()


def test_each_variable_sets_one_setting() -> None:
    settings = Settings.read(
        {
            "VITRINE_SERVING_WORKERS": "3",
            "VITRINE_SERVING_THREADS": "2",
            "VITRINE_SERVING_PRECISION": "bf16",
            "VITRINE_SERVING_MAX_BODY_BYTES": "1000",
            "VITRINE_SERVING_TIMEOUT": "2.5",
            "VITRINE_SERVING_FOLLOW": "/srv/bentofile.yaml",
        }
    )
    assert settings == Settings(
        workers=3,
        threads=2,
        precision="bf16",
        max_body_bytes=1000,
        timeout=2.5,
        follow="/srv/bentofile.yaml",
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "VITRINE_SERVING_WORKER",
            "3",
            "VITRINE_SERVING_WORKER is not a setting of the service; "
            "did you mean VITRINE_SERVING_WORKERS?",
        ),
        ("VITRINE_SERVING_COLOR", "red", "VITRINE_SERVING_COLOR is not a setting of the service; "),
        ("VITRINE_SERVING_WORKERS", "two", "VITRINE_SERVING_WORKERS: .*integer.*, but got 'two'"),
        ("VITRINE_SERVING_THREADS", "0", "VITRINE_SERVING_THREADS: .*but got '0'"),
        (
            "VITRINE_SERVING_FOLLOW",
            "bentofile.yaml",
            "VITRINE_SERVING_FOLLOW: must be an absolute path, or empty, but got 'bentofile.yaml'",
        ),
        ("VITRINE_SERVING_PRECISION", "f16", "VITRINE_SERVING_PRECISION: .*but got 'f16'"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        Settings.read({name: value})
