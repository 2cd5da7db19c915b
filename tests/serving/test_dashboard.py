"""The dashboard and the alerts in deploy/ ask for metrics and labels that the service has."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from vitrine.serving.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
BY_PROMETHEUS = {"instance", "job", "le"}


def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((DEPLOY / "grafana/vitrine.json").read_text(encoding="utf-8"))
    return list(dashboard["panels"])


def rules() -> list[dict[str, Any]]:
    tree = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))
    return list(tree["groups"][0]["rules"])


def expressions() -> dict[str, str]:
    asked = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels()
        for target in panel.get("targets", ())
    }
    return asked | {rule["alert"]: rule["expr"] for rule in rules()}


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """The labels of each sample that the service shows."""
    metrics = Metrics()
    metrics.model("7", "abc")
    metrics.request("/classify", 200, 0.01)
    metrics.predicted("style", "vintage", 0.9, False)
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("asked", expressions().values(), ids=expressions().keys())
def test_each_expression_asks_for_what_there_is(asked: str, known: dict[str, set[str]]) -> None:
    names = re.findall(r"vitrine_\w+", asked)
    assert names or "up{" in asked
    for name in names:
        assert name in known
    labels = BY_PROMETHEUS.union(*(known[name] for name in names))
    grouped = re.findall(r"(?:by|ignoring) \(([\w, ]+)\)", asked)
    used = {label for group in grouped for label in group.split(", ")}
    used |= set(re.findall(r"[{,] ?(\w+)=", asked))
    assert used <= labels


def test_each_metric_is_on_the_dashboard(known: dict[str, set[str]]) -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel.get("targets", ()))
    families = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in known}
    assert len(families) == 11
    assert [family for family in families if family not in shown] == []


def test_no_panel_lies_on_another() -> None:
    places = [
        {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        for place in (panel["gridPos"] for panel in panels())
    ]
    assert all(not one & other for one, other in combinations(places, 2))
    assert max(x for place in places for x, _ in place) == 23
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_each_alert_says_what_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description"}


@pytest.mark.parametrize(
    "command", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]]
)
def test_prometheus_own_tool_is_content(command: list[str]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not on the PATH; it comes with Prometheus")
    done = subprocess.run(
        ["promtool", *command],
        cwd=DEPLOY / "prometheus",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
