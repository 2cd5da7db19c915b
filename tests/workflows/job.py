"""One job of a workflow: its steps, in order, on one machine."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflows.actions import Action, ActionFailed, Call, Place
from workflows.machine import Machine
from workflows.scopes import Status, holds, scope, texts
from workflows.values import Declared, Value, as_text

STEP_KEYS = {"env", "id", "if", "name", "run", "shell", "timeout-minutes", "uses", "with"}


@dataclass(frozen=True, slots=True)
class Step:
    """What a step came to.

    Attributes:
        name: Its name, else its action or the first line of its script.
        outcome: success, failure, cancelled or skipped.
        log: What it printed.
    """

    name: str
    outcome: str
    log: str


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job came to.

    Attributes:
        result: success, failure, cancelled or skipped.
        runs_on: The label of the machine that it asks for.
        outputs: What it hands to other jobs.
        steps: In order.
        summary: What its steps wrote to GITHUB_STEP_SUMMARY.
        workspace: Where it ran; none of a skipped one.
    """

    result: str
    runs_on: Value = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    summary: str = ""
    workspace: Path | None = None

    @property
    def log(self) -> str:
        """What all steps printed, each below its name and outcome."""
        return "\n".join(f"=== {step.name}: {step.outcome}\n{step.log}" for step in self.steps)

    def step(self, name: str) -> Step:
        """Return the step of that name."""
        return {step.name: step for step in self.steps}[name]


class Job:
    """A job that runs.

    Args:
        tree: As the workflow has it.
        shell: That its scripts are read by where a step names none: a key of `machine.SHELLS`.
        contexts: All that belong to the run and to the job.
        machine: On which it runs.
        place: Where the run has its repository, caches and artefacts.
        actions: By name without the pin.
    """

    def __init__(
        self,
        tree: Mapping[str, Value],
        shell: str,
        contexts: Mapping[str, Value],
        machine: Machine,
        place: Place,
        actions: Mapping[str, Action],
    ) -> None:
        self._tree = tree
        self._shell = shell
        self._machine = machine
        self._place = place
        self._actions = actions
        self._result = "success"
        self._summary = ""
        ids = [step["id"] for step in tree["steps"] if "id" in step]
        here = {"steps": Declared({name: {} for name in ids}), "runner": _runner(machine)}
        self._contexts = {**contexts, **here}
        self._env = contexts["env"] | texts(tree.get("env", {}), scope("job.env", contexts))

    def run(self, runs_on: Value, stop: tuple[str, str]) -> JobResult:
        """Run the steps.

        Args:
            runs_on: The label of the machine that the job asks for.
            stop: The name of a step, and what it has printed when the run is cancelled.
        """
        try:
            steps = tuple(self._step(step, stop) for step in self._tree["steps"])
        finally:
            self._machine.clear()
        where = scope("job.outputs", self._with_env(self._env | self._machine.set))
        return JobResult(
            result=self._result,
            runs_on=runs_on,
            outputs=texts(self._tree.get("outputs", {}), where),
            steps=steps,
            summary=self._summary,
            workspace=self._machine.workspace,
        )

    def _step(self, step: Mapping[str, Value], stop: tuple[str, str]) -> Step:
        if unknown := set(step) - STEP_KEYS:
            raise ValueError(f"keys of a step that are not acted out: {', '.join(unknown)}")
        name = step.get("name") or step.get("uses", "").partition("@")[0] or step["run"].strip()
        result = self._result
        status = Status(result == "success", result == "failure", result == "cancelled")
        functions = {"hashfiles": self._hash_files}
        env = self._env | self._machine.set
        env |= texts(step.get("env", {}), scope("step", self._with_env(env), functions))
        contexts = self._with_env(env)
        outputs: Mapping[str, str] = {}
        if not holds(step.get("if", ""), scope("step.if", contexts, functions), status):
            outcome, log = "skipped", ""
        elif "run" in step:
            until = stop[1] if name == stop[0] else ""
            outcome, outputs, log = self._script(step, env, until)
        else:
            inputs = texts(step.get("with", {}), scope("step", contexts, functions))
            outcome, outputs, log = self._action(step["uses"], inputs)
        if outcome in ("failure", "cancelled") and self._result != "cancelled":
            self._result = outcome
        if "id" in step:
            self._contexts["steps"][step["id"]] = {
                "outputs": outputs,
                "outcome": outcome,
                "conclusion": outcome,
            }
        return Step(name.splitlines()[0], outcome, log)

    def _script(
        self, step: Mapping[str, Value], env: Mapping[str, str], until: str
    ) -> tuple[str, Mapping[str, str], str]:
        variables = {**self._variables(), **env}
        said = self._machine.script(step["run"], step.get("shell", self._shell), variables, until)
        self._summary += said.summary
        outcome = "failure" if said.status else "success"
        return "cancelled" if said.stopped else outcome, said.outputs, said.log

    def _action(self, uses: str, inputs: Mapping[str, str]) -> tuple[str, Mapping[str, str], str]:
        name = uses.partition("@")[0]
        if name not in self._actions:
            raise ValueError(f"{name}: an action that is not acted out; give it to the forge")
        try:
            return "success", self._actions[name](Call(inputs, self._machine, self._place)), ""
        except ActionFailed as fault:
            return "failure", {}, str(fault)

    def _with_env(self, env: Mapping[str, str]) -> dict[str, Value]:
        return {**self._contexts, "env": env}

    def _variables(self) -> dict[str, str]:
        github = self._contexts["github"]
        path = self._machine.workspace.parent / "event.json"
        path.write_text(json.dumps(github["event"]), encoding="utf-8")
        plain = {key: as_text(value) for key, value in github.items() if isinstance(value, str)}
        del plain["token"]
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_WORKSPACE": str(self._machine.workspace),
            **{f"GITHUB_{key.upper()}": value for key, value in plain.items()},
        }

    def _hash_files(self, *patterns: Value) -> str:
        found = {file for name in patterns for file in self._machine.workspace.glob(as_text(name))}
        digests = [hashlib.sha256(file.read_bytes()) for file in sorted(found) if file.is_file()]
        whole = hashlib.sha256(b"".join(digest.digest() for digest in digests))
        return whole.hexdigest() if digests else ""


def _runner(machine: Machine) -> Declared:
    return Declared(
        os=machine.env["RUNNER_OS"],
        arch=machine.env["RUNNER_ARCH"],
        temp=machine.env["RUNNER_TEMP"],
    )
