"""MLflow: the pipeline's runs and the registry of its models. Only this package talks to it."""

from vitrine.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    Version,
    champion_bundle,
    download_bundle,
    find_version,
    register_bundle,
    set_alias,
    set_version_tags,
    version_by_digest,
    version_of_alias,
)
from vitrine.tracking.runs import Run, child_run, pipeline_run, user
from vitrine.tracking.store import check, version_page

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Run",
    "Version",
    "champion_bundle",
    "check",
    "child_run",
    "download_bundle",
    "find_version",
    "pipeline_run",
    "register_bundle",
    "set_alias",
    "set_version_tags",
    "user",
    "version_by_digest",
    "version_of_alias",
    "version_page",
]
