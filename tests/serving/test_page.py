"""The files of the page at `/`, as the app sends them."""

from importlib import resources

import httpx
import pytest

from vitrine.serving.page import FILES, HOME


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_sent_with_its_type_and_a_strict_policy(
    client: httpx.Client, name: str
) -> None:
    response = client.get("/" if name == HOME else f"/static/{name}")
    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == FILES[name]
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        response.content == resources.files("vitrine.serving").joinpath("static", name).read_bytes()
    )


def test_a_file_is_sent_again_only_when_it_is_another_one(client: httpx.Client) -> None:
    tag = client.get("/static/page.css").headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        kept = client.get("/static/page.css", headers={"If-None-Match": known})
        assert (kept.status_code, kept.content, kept.headers["ETag"]) == (304, b"", tag)
    for known in ('"other"', client.get("/").headers["ETag"], ""):
        assert client.get("/static/page.css", headers={"If-None-Match": known}).status_code == 200


def test_every_file_in_the_folder_is_sent_and_no_other(client: httpx.Client) -> None:
    found = {file.name for file in resources.files("vitrine.serving").joinpath("static").iterdir()}
    assert found == set(FILES)
    for path in ("/static/", "/static/other.js", "/static/../page.py", "/static/%2e%2e/page.py"):
        assert client.get(path).status_code == 404
