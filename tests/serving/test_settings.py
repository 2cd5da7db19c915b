"""The service's settings come from environment variables."""

import pytest

from vitrine.core.errors import ServiceError
from vitrine.serving.keys import Key
from vitrine.serving.settings import Settings


def test_variables_without_our_prefix_are_left_alone() -> None:
    assert Settings.read({"PATH": "/bin", "VITRINE_SOMETHING": "1"}) == Settings()


def test_each_variable_sets_one_setting() -> None:
    settings = Settings.read(
        {
            "VITRINE_SERVING_WORKERS": "3",
            "VITRINE_SERVING_THREADS": "2",
            "VITRINE_SERVING_RUNTIME": "tensorflow",
            "VITRINE_SERVING_PRECISION": "bf16",
            "VITRINE_SERVING_MAX_BODY_BYTES": "1000",
            "VITRINE_SERVING_TIMEOUT": "2.5",
            "VITRINE_SERVING_BODY_SECONDS": "1.5",
            "VITRINE_SERVING_QUEUE": "6",
            "VITRINE_SERVING_BATCH": "4",
            "VITRINE_SERVING_MAX_BATCH_IMAGES": "16",
            "VITRINE_SERVING_TOP_K": "3",
            "VITRINE_SERVING_KEYS": f"shop:{'a' * 64}, page:{'b' * 64}",
            "VITRINE_SERVING_OPEN": "true",
            "VITRINE_SERVING_LOG": "/var/log/vitrine",
            "VITRINE_SERVING_LOG_SHARE": "0.5",
            "VITRINE_SERVING_LOG_IMAGES": "true",
            "VITRINE_SERVING_LOG_EMBEDDINGS": "true",
            "VITRINE_SERVING_LOG_MEGABYTES": "1",
            "VITRINE_SERVING_LOG_FILES": "2",
            "VITRINE_SERVING_FOLLOW": "/srv/bentofile.yaml",
        }
    )
    assert settings == Settings(
        workers=3,
        threads=2,
        runtime="tensorflow",
        precision="bf16",
        max_body_bytes=1000,
        timeout=2.5,
        body_seconds=1.5,
        queue=6,
        batch=4,
        max_batch_images=16,
        top_k=3,
        keys=(Key("shop", "a" * 64), Key("page", "b" * 64)),
        open=True,
        log="/var/log/vitrine",
        log_share=0.5,
        log_images=True,
        log_embeddings=True,
        log_megabytes=1,
        log_files=2,
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
        ("VITRINE_SERVING_LOG", "log", "VITRINE_SERVING_LOG: must be an absolute path"),
        ("VITRINE_SERVING_LOG_SHARE", "1.1", "VITRINE_SERVING_LOG_SHARE: .*less than or equal to"),
        ("VITRINE_SERVING_TIMEOUT", "inf", "VITRINE_SERVING_TIMEOUT: .*finite"),
        ("VITRINE_SERVING_BODY_SECONDS", "0", "VITRINE_SERVING_BODY_SECONDS: .*greater than 0"),
        ("VITRINE_SERVING_PRECISION", "f16", "VITRINE_SERVING_PRECISION: .*but got 'f16'"),
        ("VITRINE_SERVING_RUNTIME", "onnx", "VITRINE_SERVING_RUNTIME: .*but got 'onnx'"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        Settings.read({name: value})


def test_a_key_that_was_set_in_the_place_of_its_hash_is_not_repeated() -> None:
    with pytest.raises(ServiceError, match=r"VITRINE_SERVING_KEYS: must be NAME:SHA256") as caught:
        Settings.read({"VITRINE_SERVING_KEYS": "shop:secret"})
    assert "secret" not in str(caught.value)


def test_a_body_has_less_time_than_the_whole_request() -> None:
    words = "VITRINE_SERVING_BODY_SECONDS: must be less than VITRINE_SERVING_TIMEOUT, which is 5"
    with pytest.raises(ServiceError, match=words):
        Settings.read({"VITRINE_SERVING_TIMEOUT": "5"})
    Settings.read({"VITRINE_SERVING_TIMEOUT": "5", "VITRINE_SERVING_BODY_SECONDS": "3"})
