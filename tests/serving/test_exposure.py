"""Without keys the service listens only where others cannot reach it."""

import click
import pytest
from click.testing import CliRunner

from vitrine.core.errors import ServiceError
from vitrine.serving.exposure import check_exposure, host_of_serve
from vitrine.serving.keys import Key
from vitrine.serving.settings import Settings

KEYS = (Key("shop", "0" * 64),)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    check_exposure(Settings(), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "example.org", None])
def test_any_other_address_does(host: str | None) -> None:
    check_exposure(Settings(keys=KEYS), host)
    check_exposure(Settings(open=True), host)
    with pytest.raises(ServiceError) as caught:
        check_exposure(Settings(), host)
    text = str(caught.value)
    assert (host or "an address of its own") in text
    for way in ("`vitrine key NAME`", "--host 127.0.0.1", "VITRINE_SERVING_OPEN=true"):
        assert way in text


@pytest.fixture
def ask() -> click.Command:
    """A command with the option that `bentoml serve` has."""

    @click.command()
    @click.option("--host", envvar="BENTOML_HOST")
    def serve(host: str | None) -> None:
        click.echo(host_of_serve())

    return serve


@pytest.mark.parametrize(
    ("arguments", "variables", "host"),
    [
        (["--host", "192.168.1.5"], {}, "192.168.1.5"),
        ([], {"BENTOML_HOST": "192.168.1.6"}, "192.168.1.6"),
        ([], {"BENTOML_HOST": ""}, "0.0.0.0"),
    ],
)
def test_the_host_is_the_one_that_the_command_was_given(
    ask: click.Command, arguments: list[str], variables: dict[str, str], host: str
) -> None:
    result = CliRunner().invoke(ask, arguments, env=variables)
    assert result.output.strip() == host


def test_outside_of_the_command_the_host_is_not_known() -> None:
    assert host_of_serve() is None
