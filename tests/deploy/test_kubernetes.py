"""The manifests for Kubernetes: their schema, and what they promise."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from clones import ROOT
from vitrine.serving.settings import PREFIX, Settings

FOLDER = ROOT / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
RELEASES = ("1.31", "1.34", "1.37")


def manifest(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return tree


DEPLOYMENT = manifest("deployment.yaml")["spec"]
POD = DEPLOYMENT["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_the_kustomization_has_every_manifest() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files
    assert [image["name"] for image in KUSTOMIZATION["images"]] == [CONTAINER["image"]]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", KUSTOMIZATION["resources"])
def test_kubernetes_knows_every_word(name: str, release: str) -> None:
    kubernetes_validate.validate(manifest(name), release, strict=True)


def test_all_select_the_pods_of_the_deployment() -> None:
    labels = DEPLOYMENT["template"]["metadata"]["labels"]
    selectors = (
        DEPLOYMENT["selector"]["matchLabels"],
        manifest("service.yaml")["spec"]["selector"],
        manifest("disruption.yaml")["spec"]["selector"]["matchLabels"],
        manifest("network.yaml")["spec"]["podSelector"]["matchLabels"],
    )
    assert all(selector == labels for selector in selectors)
    target = manifest("autoscaler.yaml")["spec"]["scaleTargetRef"]
    assert target["name"] == manifest("deployment.yaml")["metadata"]["name"]


def test_a_change_takes_nothing_away() -> None:
    assert DEPLOYMENT["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= CONTAINER.keys()
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/livez"


def test_what_is_being_answered_is_answered_before_the_end() -> None:
    (timeout,) = (e["value"] for e in CONTAINER["env"] if e["name"] == f"{PREFIX}TIMEOUT")
    wait = float(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert POD["terminationGracePeriodSeconds"] > wait + float(timeout)


def test_it_runs_without_rights_and_writes_into_memory_and_scratch_alone() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["runAsUser"] == 1034
    assert not POD["automountServiceAccountToken"]
    guarded = CONTAINER["securityContext"]
    assert guarded["readOnlyRootFilesystem"]
    assert guarded["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in CONTAINER["volumeMounts"]] == ["/tmp", "/dev/shm"]


def test_keys_come_from_a_secret_that_is_not_here() -> None:
    given = {variable["name"]: variable for variable in CONTAINER["env"]}
    assert "secretKeyRef" in given[f"{PREFIX}KEYS"]["valueFrom"]
    assert all(manifest(name)["kind"] != "Secret" for name in KUSTOMIZATION["resources"])
    assert {name.removeprefix(PREFIX).lower() for name in given} <= Settings.model_fields.keys()


def test_each_worker_has_a_core() -> None:
    (workers,) = (e["value"] for e in CONTAINER["env"] if e["name"] == f"{PREFIX}WORKERS")
    assert CONTAINER["resources"]["requests"]["cpu"] == workers
    (metric,) = manifest("autoscaler.yaml")["spec"]["metrics"]
    assert metric["resource"]["name"] == "cpu"
