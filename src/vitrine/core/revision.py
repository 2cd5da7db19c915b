"""The commit that is checked out."""

import subprocess

UNKNOWN_COMMIT = "unknown"


def git_commit() -> str:
    """Return the hash of the commit checked out here; `unknown` outside a repository."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN_COMMIT
    return answer.stdout.strip()
