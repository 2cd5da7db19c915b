"""Runs the jobs of a GitHub workflow on this machine, from the workflow's own file.

What the tests prove is thus the workflow that is committed: its order and conditions, its
expressions, its scripts, and what it hands from step to step and from job to job. What is not
acted out is refused. The actions are those of `actions.ACTIONS` and those that a test gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from workflows.actions import ACTIONS, Action, Place
from workflows.expressions import interpolate
from workflows.job import Job, JobResult
from workflows.machine import Machine
from workflows.scopes import Status, holds, scope, texts
from workflows.values import Declared, Value, as_text

REPOSITORY = "team/catalogue"
SERVER = "https://github.example"
WORKFLOW_KEYS = {"concurrency", "defaults", "env", "jobs", "name", "on", "permissions"}
JOB_KEYS = {
    "concurrency",
    "defaults",
    "env",
    "if",
    "name",
    "needs",
    "outputs",
    "permissions",
    "runs-on",
    "steps",
    "timeout-minutes",
}


@dataclass(frozen=True, slots=True)
class Event:
    """What a workflow runs for.

    Attributes:
        name: Such as `pull_request`.
        payload: What GitHub tells of it: `github.event`.
        ref: The git reference that belongs to it, such as `refs/heads/main`.
        sha: The commit of that reference.
    """

    name: str
    payload: Mapping[str, Value]
    ref: str
    sha: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Cancels a run: once the named step has printed a text, its processes are killed."""

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of a workflow came to.

    Attributes:
        jobs: By name, in the order in which they ran; skipped ones are here too.
        group: Of its runs GitHub lets one go on at a time; empty where there is no such group.
        artifacts: The folder of what the jobs uploaded, a folder an artefact.
    """

    jobs: Mapping[str, JobResult]
    group: str
    artifacts: Path

    @property
    def results(self) -> dict[str, str]:
        """The result of each job."""
        return {name: job.result for name, job in self.jobs.items()}

    @property
    def log(self) -> str:
        """What all jobs printed."""
        return "\n".join(f"##### {name}\n{job.log}" for name, job in self.jobs.items())


@dataclass
class Forge:
    """What GitHub would hold of one repository.

    Args:
        folder: For the machines of the jobs, the caches and the artefacts; it must exist.
        remote: The bare git repository.
        env: What a machine has in its environment before GitHub adds to it.
        variables: The repository's variables: `vars`.
        secrets: The repository's secrets.
        actions: Beside those that are built in, by their name without the pin.
    """

    folder: Path
    remote: Path
    env: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    runs: int = field(default=0, init=False)

    def run(self, workflow: Path, event: Event, stop: Stop | None = None) -> Run:
        """Run the jobs of a workflow, one after the other, each on a machine of its own.

        Raises:
            ValueError: The workflow has what is not acted out here.
            ExpressionError: One of its expressions is wrong.
        """
        tree = _load(workflow)
        self.runs += 1
        return _WorkflowRun(self, tree, event, stop or Stop("", "")).run()


class _WorkflowRun:
    def __init__(self, forge: Forge, tree: Mapping[str, Value], event: Event, stop: Stop) -> None:
        self._forge = forge
        self._tree = tree
        self._stop = stop
        self._folder = forge.folder / f"run-{forge.runs}"
        self._place = Place(
            remote=forge.remote,
            sha=event.sha,
            caches=forge.folder / "caches",
            artifacts=self._folder / "artifacts",
        )
        self._contexts: dict[str, Value] = {
            "github": _github(event, tree.get("name", ""), forge.runs),
            "inputs": _inputs(tree, event),
            "secrets": dict(forge.secrets),
            "vars": dict(forge.variables),
        }
        self._contexts["env"] = texts(tree.get("env", {}), scope("env", self._contexts))
        self._done: dict[str, JobResult] = {}

    def run(self) -> Run:
        group = self._tree.get("concurrency", "")
        if isinstance(group, Mapping):
            group = group["group"]
        where = scope("concurrency", self._contexts)
        for name, job in _in_order(self._tree["jobs"]):
            self._done[name] = self._job(name, job)
        return Run(self._done, as_text(interpolate(group, where)), self._place.artifacts)

    def _job(self, name: str, job: Mapping[str, Value]) -> JobResult:
        needs = Declared({need: self._need(need) for need in _needs(job)})
        contexts = {**self._contexts, "needs": needs}
        if not holds(job.get("if", ""), scope("job.if", contexts), self._status(name)):
            return JobResult("skipped")
        contexts["github"] = Declared({**contexts["github"], "job": name})
        runs_on = interpolate(job["runs-on"], scope("job.runs-on", contexts))
        defaults = {**self._tree.get("defaults", {}), **job.get("defaults", {})}
        machine = Machine(self._folder / name, self._forge.env)
        actions = {**ACTIONS, **self._forge.actions}
        shell = defaults.get("run", {}).get("shell", "")
        running = Job(job, shell, contexts, machine, self._place, actions)
        return running.run(runs_on, (self._stop.step, self._stop.text))

    def _need(self, name: str) -> Declared:
        known = dict.fromkeys(self._tree["jobs"][name].get("outputs", {}))
        outputs = Declared({**known, **self._done[name].outputs})
        return Declared(result=self._done[name].result, outputs=outputs)

    def _status(self, name: str) -> Status:
        results = [self._done[need].result for need in _all_needs(self._tree["jobs"], name)]
        return Status(
            succeeded=all(result == "success" for result in results),
            failed="failure" in results,
            cancelled=any(job.result == "cancelled" for job in self._done.values()),
        )


def pull_request(remote_head: str, branch: str, *, of: str = REPOSITORY, number: int = 7) -> Event:
    """Return the event of a pull request to main.

    Args:
        remote_head: The commit at the branch's head.
        branch: That is to be merged.
        of: The repository that has the branch: another one's is a fork's.
        number: Of the pull request.
    """
    head = {"sha": remote_head, "ref": branch, "repo": {"full_name": of}}
    payload = {
        "action": "synchronize",
        "number": number,
        "pull_request": {"number": number, "head": head, "base": {"ref": "main"}},
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }
    return Event("pull_request", payload, f"refs/pull/{number}/merge", remote_head)


def on_main(name: str, sha: str, payload: Mapping[str, Value]) -> Event:
    """Return an event that belongs to the branch main.

    Args:
        name: Such as workflow_dispatch, repository_dispatch or schedule.
        sha: The commit at the head of main.
        payload: What GitHub tells beside the repository: `inputs`, or `action` and
            `client_payload`.
    """
    repository = {"full_name": REPOSITORY, "default_branch": "main"}
    return Event(name, {**payload, "repository": repository}, "refs/heads/main", sha)


def _github(event: Event, workflow: str, run: int) -> Declared:
    request = event.payload.get("pull_request", {})
    return Declared(
        actor="someone",
        api_url=f"{SERVER}/api",
        base_ref=request.get("base", {}).get("ref", ""),
        event=event.payload,
        event_name=event.name,
        head_ref=request.get("head", {}).get("ref", ""),
        job="",
        ref=event.ref,
        ref_name=event.ref.split("/", 2)[2],
        repository=REPOSITORY,
        repository_owner=REPOSITORY.partition("/")[0],
        run_attempt="1",
        run_id=str(1000 + run),
        run_number=str(run),
        server_url=SERVER,
        sha=event.sha,
        token="the-token-of-the-run",
        workflow=workflow,
    )


def _inputs(tree: Mapping[str, Value], event: Event) -> dict[str, Value]:
    if event.name != "workflow_dispatch":
        return {}
    declared = tree["on"]["workflow_dispatch"] or {}
    given = event.payload.get("inputs", {})
    inputs = declared.get("inputs", {})
    if unknown := set(given) - set(inputs):
        raise ValueError(f"unexpected inputs: {', '.join(sorted(unknown))}")
    return {key: given.get(key, value.get("default", "")) for key, value in inputs.items()}


def _load(workflow: Path) -> dict[str, Value]:
    # All as text: GitHub's YAML does not take `on` for a truth value.
    tree = yaml.load(workflow.read_text(encoding="utf-8"), yaml.BaseLoader)
    unknown = set(tree) - WORKFLOW_KEYS
    for job in tree["jobs"].values():
        unknown |= set(job) - JOB_KEYS
    if unknown:
        raise ValueError(f"{workflow.name}: not acted out: {', '.join(sorted(unknown))}")
    return dict(tree)


def _needs(job: Mapping[str, Value]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _all_needs(jobs: Mapping[str, Value], name: str) -> set[str]:
    direct = set(_needs(jobs[name]))
    return direct.union(*(_all_needs(jobs, need) for need in direct))


def _in_order(jobs: Mapping[str, Value]) -> Iterator[tuple[str, Mapping[str, Value]]]:
    left = dict(jobs)
    while left:
        ready = next((name for name in left if not left.keys() & _needs(left[name])), None)
        if ready is None:
            raise ValueError(f"jobs that need each other: {', '.join(left)}")
        yield ready, left.pop(ready)
