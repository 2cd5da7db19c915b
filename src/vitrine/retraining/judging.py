"""What has to be said of each stage of the pipeline."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from vitrine.core.layout import DATA
from vitrine.retraining.code import judge_files
from vitrine.retraining.data import judge_data
from vitrine.retraining.finding import Finding
from vitrine.retraining.history import LOCK, History
from vitrine.retraining.settings import judge_settings


class Judge:
    """Judges stages in the order in which they run, so that one knows of those before it.

    Args:
        repository: The `dvc.repo.Repo` of the working directory.
        history: Of the same.
    """

    def __init__(self, repository: Any, history: History) -> None:
        from dvc.stage import PipelineStage

        self._graph = repository.index.graph
        self._history = history
        self._known: dict[tuple[str, str], Finding] = {}
        every = repository.index.stages
        self._stages = [stage for stage in every if isinstance(stage, PipelineStage)]
        self._made = [PurePath(out.fs_path) for stage in self._stages for out in stage.outs]
        self._sources = {
            out.fs_path: out
            for stage in every
            if not isinstance(stage, PipelineStage)
            for out in stage.outs
        }
        self._recorded = Path(LOCK).is_file()

    def all_findings(self) -> dict[str, Finding]:
        """Return what is found of each stage, those that others need first."""
        from dvc.repo.reproduce import plan_repro

        found: dict[str, Finding] = {}
        for stage in plan_repro(self._graph):
            if stage in self._stages:
                found[stage.addressing] = self._judge(stage, found)
        return found

    def _judge(self, stage: Any, found: Mapping[str, Finding]) -> Finding:
        if stage.frozen:
            return Finding()
        if not self._recorded:
            return Finding((f"no {LOCK}: nothing was recorded yet",))
        entries = [*stage.deps, *stage.outs]
        if entries and not any(entry.hash_info for entry in entries):
            return Finding((f"not in {LOCK}: it has not run yet",))
        parts = [self._dependency(dep) for dep in stage.deps]
        reasons = [
            *_own_reasons(stage),
            *(reason for part in parts for reason in part.reasons),
            *self._after(stage, found),
        ]
        return Finding(
            tuple(reasons),
            ignored=tuple(one for part in parts for one in part.ignored),
            notes=tuple(one for part in parts for one in part.notes),
        )

    def _after(self, stage: Any, found: Mapping[str, Finding]) -> Iterator[str]:
        """Yield which of the stages that this one needs have to run; the last of a chain only."""
        from dvc.repo.reproduce import plan_repro

        needed = [
            one
            for one in self._graph.successors(stage)
            if (finding := found.get(one.addressing)) and finding.reasons
        ]
        earlier = {other for one in needed for other in plan_repro(self._graph, [one])[:-1]}
        if last := [one.addressing for one in needed if one not in earlier]:
            yield f"after {', '.join(last)}"

    def _dependency(self, dependency: Any) -> Finding:
        from dvc.dependency import ParamsDependency

        if isinstance(dependency, ParamsDependency):
            return judge_settings(dependency)
        path = PurePath(dependency.fs_path)
        if any(path.is_relative_to(made) or made.is_relative_to(path) for made in self._made):
            return Finding()
        recorded = dependency.hash_info
        if not recorded:
            return Finding((f"{dependency}: new among what it needs",))
        key = (str(path), str(recorded.value))
        if key not in self._known:
            self._known[key] = self._compare(dependency)
        return self._known[key]

    def _compare(self, dependency: Any) -> Finding:
        source = self._sources.get(dependency.fs_path)
        if source is None:
            return judge_files(dependency, self._history)
        recorded, named = dependency.hash_info, source.hash_info
        if Path(str(source)) == DATA:
            return judge_data(str(recorded.value), str(named.value), self._history)
        if recorded == named and not (source.exists and source.changed_checksum()):
            return Finding()
        return Finding((f"{source}: another version",))


def _own_reasons(stage: Any) -> Iterator[str]:
    if stage.always_changed or stage.is_callback:
        yield "it runs every time"
    if stage.cmd_changed:
        yield f"another command: {stage.cmd}"
    for out in stage.outs:
        if not out.hash_info:
            yield f"{out}: new among what it makes"
        elif not out.use_cache and out.exists and out.changed_checksum():
            yield f"{out}: not as {LOCK} has it"
