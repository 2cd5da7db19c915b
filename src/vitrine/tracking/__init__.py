"""MLflow: the pipeline's runs and the registry of its models. Only this package talks to it."""

from vitrine.tracking.bundles import champion_bundle, download_bundle, register_bundle
from vitrine.tracking.curves import Curves
from vitrine.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    Version,
    describe_version,
    find_version,
    remove_alias,
    set_alias,
    set_version_tags,
    verdict_folder,
    version_by_digest,
    version_of_alias,
)
from vitrine.tracking.releases import Kind, Outcome, Release, record_release, releases
from vitrine.tracking.runs import (
    PRETRAIN_RUN,
    START_DIGEST,
    Run,
    RunFacts,
    child_run,
    pipeline_run,
    run_facts,
    run_file,
    user,
)
from vitrine.tracking.store import check, version_page
from vitrine.tracking.webhooks import ensure_webhook

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "PRETRAIN_RUN",
    "START_DIGEST",
    "Curves",
    "Kind",
    "Outcome",
    "Release",
    "Run",
    "RunFacts",
    "Version",
    "champion_bundle",
    "check",
    "child_run",
    "describe_version",
    "download_bundle",
    "ensure_webhook",
    "find_version",
    "pipeline_run",
    "record_release",
    "register_bundle",
    "releases",
    "remove_alias",
    "run_facts",
    "run_file",
    "set_alias",
    "set_version_tags",
    "user",
    "verdict_folder",
    "version_by_digest",
    "version_of_alias",
    "version_page",
]
