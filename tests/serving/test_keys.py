"""API keys: made, read, compared."""

import pytest
from typer.testing import CliRunner

from vitrine.core.errors import ServiceError
from vitrine.serving.keys import Key, hash_of, matching, new_key, parse_keys


def test_a_new_key_opens_what_its_hash_is_set_for() -> None:
    secret, key = new_key("shop")
    other, _ = new_key("shop")
    keys = parse_keys(f"page:{'0' * 64}, {key}")
    assert matching(keys, secret.encode()) == key
    assert matching(keys, other.encode()) is None
    assert secret not in str(key)
    assert len(secret) >= 43  # 256 bits in base 64


@pytest.mark.parametrize("other", ["", "KEY", "key ", "ke", "key\0", "schlüssel"])
def test_another_key_opens_nothing(other: str) -> None:
    assert matching([Key("shop", hash_of(b"key"))], other.encode()) is None


def test_two_keys_of_one_name_serve_while_one_replaces_the_other() -> None:
    keys = [Key("shop", hash_of(b"old")), Key("shop", hash_of(b"new"))]
    assert matching(keys, b"old") == keys[0]
    assert matching(keys, b"new") == keys[1]


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_holds_no_keys(text: str) -> None:
    assert parse_keys(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "secret",
        "shop:secret",
        f"shop:{'a' * 63}",
        f"shop:{'A' * 64}",
        f":{'a' * 64}",
        f"two words:{'a' * 64}",
        f"shop:{'a' * 64},",
        f"shop:{'a' * 64};page:{'b' * 64}",
    ],
)
def test_what_is_no_list_of_keys_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="must be NAME:SHA256") as caught:
        parse_keys(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a:b", "a,b", "x" * 41, "zwei Wörter"])
def test_a_name_that_would_break_the_list_is_refused(name: str) -> None:
    with pytest.raises(ServiceError, match="1 to 40 letters, digits"):
        new_key(name)


def test_the_command_prints_a_key_and_its_hash() -> None:
    import typer

    from vitrine.cli.key import command

    app = typer.Typer()
    app.command()(command)
    owner, service = CliRunner().invoke(app, ["shop"]).output.strip().splitlines()
    secret, pair = owner.split()[-1], service.split()[-1]
    assert matching(parse_keys(pair), secret.encode()) == Key("shop", hash_of(secret.encode()))
