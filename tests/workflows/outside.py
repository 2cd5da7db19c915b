"""In the place of what cannot be had here: a container engine, its registry, and GitHub.

`docker` and `gh` in the PATH of a workflow's machine lead to this file, which keeps what they are
asked for. An image is the folder that it would have been built from; running it runs the image's
own command, as a process and by this machine's libraries.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

PROGRAMS = ("docker", "gh")
PLACE = "TESTS_OUTSIDE"
"""The variable with the folder in which all is kept."""


DIGEST = f"sha256:{'0' * 64}"
"""Under which the registry knows every image."""


@dataclass(frozen=True)
class Outside:
    """What lies outside, kept in a folder.

    Attributes:
        folder: Which.
    """

    folder: Path

    def env(self, path: str) -> dict[str, str]:
        """Make the programs; return variables by which they are found before those of a PATH."""
        programs = self.folder / "bin"
        programs.mkdir(parents=True)
        for name in PROGRAMS:
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
            program.chmod(0o755)
        return {PLACE: str(self.folder), "PATH": f"{programs}{os.pathsep}{path}"}

    @property
    def calls(self) -> list[str]:
        """All command lines."""
        return self._lines("calls")

    @property
    def pushed(self) -> list[str]:
        """The images in the registry."""
        return self._lines("pushed")

    def notes(self, tag: str) -> str:
        """Return the notes of a release."""
        return (self.folder / "releases" / tag).read_text(encoding="utf-8")

    def spoil(self, spoilt: bool) -> None:
        """Let whatever is run answer every image alike, or no longer."""
        (self.folder / "spoilt").unlink(missing_ok=True)
        if spoilt:
            (self.folder / "spoilt").touch()

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def say(line: str) -> None:
    """Print a line, as the program that is stood for would."""
    sys.stdout.write(f"{line}\n")


class Programs:
    """The programs: each of their commands is a method."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, arguments: list[str]) -> None:
        """Do what a command line says."""
        commands = {
            "docker version": self.docker_version,
            "docker build": self.docker_build,
            "docker run": self.docker_run,
            "docker port": self.docker_port,
            "docker logs": self.docker_logs,
            "docker rm": self.docker_rm,
            "docker login": self.docker_login,
            "docker push": self.docker_push,
            "docker image inspect": self.docker_image_inspect,
            "gh auth setup-git": self.gh_auth_setup_git,
            "gh release view": self.gh_release_view,
            "gh release create": self.gh_release_create,
        }
        line = " ".join(arguments)
        self._keep("calls", line)
        name = next(name for name in commands if f"{line} ".startswith(f"{name} "))
        commands[name](arguments[len(name.split()) :])

    def docker_version(self, _: list[str]) -> None:
        """Say which version the engine has."""
        say(json.dumps("28.0.0"))

    def docker_build(self, arguments: list[str]) -> None:
        """Keep the folder that the image is built from."""
        (image,) = (arguments[at + 1] for at, word in enumerate(arguments) if word == "--tag")
        assert Path(arguments[-1]).samefile(".")
        shutil.copytree(".", self._image(image), dirs_exist_ok=True)

    def docker_run(self, arguments: list[str]) -> None:
        """Run the image's own command on a free port, and leave it running."""
        folder, container = self._image(arguments[-1]), self._container(arguments)
        container.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        dockerfile = (folder / "env/docker/Dockerfile").read_text(encoding="utf-8")
        start = json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)[-1])
        command = [str(folder) if word == "/home/bentoml/bento" else word for word in start]
        if (self._folder / "spoilt").exists():
            command = [sys.executable, __file__, "spoilt", str(folder), port]
        settings = (word.split("=") for word in arguments if word.startswith("VITRINE_SERVING_"))
        env = {
            **os.environ,
            **dict(settings),
            "BENTOML_HOST": "127.0.0.1",
            "BENTOML_PORT": port,
            "BENTOML_HOME": str(container / "bentoml"),
        }
        with (container / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=container,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (container / "pid").write_text(str(process.pid))
        (container / "port").write_text(port)
        say(container.name)

    def docker_port(self, arguments: list[str]) -> None:
        """Say where a container's port is."""
        say(f"127.0.0.1:{(self._folder / 'containers' / arguments[0] / 'port').read_text()}")

    def docker_logs(self, arguments: list[str]) -> None:
        """Print what a container printed."""
        say((self._folder / "containers" / arguments[0] / "log").read_text(errors="replace"))

    def docker_rm(self, arguments: list[str]) -> None:
        """Stop a container, and forget it."""
        container = self._folder / "containers" / arguments[-1]
        os.killpg(int((container / "pid").read_text()), signal.SIGKILL)
        shutil.rmtree(container)

    def docker_login(self, _: list[str]) -> None:
        """Keep the password that was given."""
        self._keep("passwords", sys.stdin.read().strip())

    def docker_push(self, arguments: list[str]) -> None:
        """Put an image into the registry."""
        assert self._image(arguments[0]).is_dir()
        self._keep("pushed", arguments[0])
        say(f"{arguments[0].rpartition(':')[2]}: digest: {DIGEST}")

    def docker_image_inspect(self, arguments: list[str]) -> None:
        """Print the digest by which the registry knows an image."""
        assert arguments[-1] in (self._folder / "pushed").read_text(encoding="utf-8").splitlines()
        say(f"{arguments[-1].rpartition(':')[0]}@{DIGEST}")

    def gh_auth_setup_git(self, _: list[str]) -> None:
        """Let git push as whom GH_TOKEN belongs to."""
        assert os.environ["GH_TOKEN"]

    def gh_release_view(self, arguments: list[str]) -> None:
        """Show a release; fail where there is none."""
        if not (self._folder / "releases" / arguments[0]).exists():
            sys.exit("release not found")

    def gh_release_create(self, arguments: list[str]) -> None:
        """Publish the notes of a tag that the remote repository has."""
        tag, notes = arguments[0], arguments[arguments.index("--notes-file") + 1]
        asked = ["git", "ls-remote", "--exit-code", "--tags", "origin", tag]
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
        (self._folder / "releases").mkdir(exist_ok=True)
        shutil.copyfile(notes, self._folder / "releases" / tag)

    def _image(self, name: str) -> Path:
        return self._folder / "images" / quote(name, safe="")

    def _container(self, arguments: list[str]) -> Path:
        return self._folder / "containers" / arguments[arguments.index("--name") + 1]

    def _keep(self, name: str, line: str) -> None:
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def serve_spoilt(image: Path, port: int) -> None:
    """Answer by the image's own bundle, as one whose network gives each label the same chance."""
    from vitrine.bundle.format import load_info

    (bundle,) = (path.parent for path in image.glob("models/**/bundle.json"))
    info = load_info(bundle)
    model = {"version": "1", "bundle_digest": info.digest}
    card = {**model, "tag": "", "refused": None, "worker": 1, "workers": 1}
    chances = {head: info.taxonomy.names(head) for head in info.heads}
    answer = {
        head: {"probabilities": dict.fromkeys(names, 1 / len(names))}
        for head, names in chances.items()
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({**card, "computing": {"precision": "f32"}})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._say({**answer, "model": model})

        def _say(self, document: dict[str, Any]) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "spoilt":
        serve_spoilt(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        Programs(Path(os.environ[PLACE])).run(sys.argv[1:])
