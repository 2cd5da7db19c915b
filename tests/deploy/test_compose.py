"""The platform on one machine: the compose file, and what it hands to the programs in it."""

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from clones import ROOT
from vitrine.serving.settings import PREFIX, Settings

FOLDER = ROOT / "deploy/compose"
TEXT = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRET = re.compile("PASSWORD|KEY")


def mounts() -> list[tuple[str, str, str]]:
    """Each file or folder of the repository that a service gets: service, source, target."""
    found = []
    for name, service in SERVICES.items():
        for volume in service["volumes"]:
            source, target, *_ = volume.split(":")
            if source.startswith("."):
                found.append((name, source, target))
    return found


def test_it_is_a_compose_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(FOLDER / "compose.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_names_every_variable_and_no_value_of_a_secret() -> None:
    lines = (FOLDER / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(example) == set(re.findall(r"\$\{(\w+)", TEXT))
    assert not [name for name, value in example.items() if SECRET.search(name) and value]


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_outside(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    for variable, value in environment.items():
        if SECRET.search(variable) and "KEY_ID" not in variable:
            assert str(value).startswith("${"), variable


@pytest.mark.parametrize("file", [".env", "secrets/metrics_key"])
def test_git_ignores_what_is_secret(file: str) -> None:
    command = ["git", "check-ignore", "--quiet", str(FOLDER / file)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_pinned_limited_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    image = service["image"]
    assert image.startswith("${VITRINE_IMAGE") or "build" in service or re.search(r":v?\d", image)
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"mem_limit", "cpus"} <= service.keys()
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_only_the_store_starts_with_rights() -> None:
    free = [n for n, s in SERVICES.items() if not s["read_only"] or s["cap_drop"] != ["ALL"]]
    assert free == ["store"]


@pytest.mark.parametrize(("name", "source", "target"), mounts())
def test_what_is_mounted_is_there_and_cannot_be_changed(
    name: str, source: str, target: str
) -> None:
    assert (FOLDER / source).exists()
    assert f"{source}:{target}:ro" in SERVICES[name]["volumes"]


def test_the_named_volumes_and_networks_are_declared() -> None:
    volumes = {v.split(":")[0] for s in SERVICES.values() for v in s["volumes"]}
    assert {v for v in volumes if not v.startswith(".")} == COMPOSE["volumes"].keys()
    networks = {n for s in SERVICES.values() for n in s["networks"]}
    assert networks == COMPOSE["networks"].keys()


def test_the_service_knows_its_settings() -> None:
    given = {name for name in SERVICES["service"]["environment"] if name.startswith(PREFIX)}
    assert {name.removeprefix(PREFIX).lower() for name in given} <= Settings.model_fields.keys()
    grace = float(SERVICES["service"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings().timeout


def test_prometheus_asks_the_service_and_reads_the_alerts() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "vitrine"
    assert job["static_configs"] == [{"targets": ["service:3000"]}]
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics_key"
    assert SERVICES["prometheus"]["secrets"] == ["metrics_key"]
    targets = [target for name, _, target in mounts() if name == "prometheus"]
    assert f"/etc/prometheus/{config['rule_files'][0]}" in targets
    assert set(SERVICES["prometheus"]["networks"]) & set(SERVICES["service"]["networks"])


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    (source,) = yaml.safe_load((FOLDER / "grafana/datasource.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((FOLDER / "grafana/dashboards.yaml").read_text())["providers"]
    assert ("grafana", "../grafana", provider["options"]["path"]) in mounts()


def test_mlflow_in_the_image_is_the_locked_one() -> None:
    version = re.compile(r"^mlflow==(\S+)", re.MULTILINE)
    locked, image = (
        (ROOT / path).read_text(encoding="utf-8")
        for path in ("requirements/dev.txt", "deploy/docker/mlflow.txt")
    )
    assert version.findall(image) == version.findall(locked)
    assert "://" not in image
    for requirement in re.split(r"\n(?=\S)", image.strip()):
        assert "--hash=sha256:" in requirement
