"""OpenVINO and its tools, imported without their reports.

A plain `import openvino` tells the vendor of it and leaves a number for this user in the home
folder; NNCF does the same. Where the package that reports is missing, both do without it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

REPORTING = "openvino_telemetry"


@contextmanager
def untracked() -> Iterator[None]:
    """Make what is imported inside the block believe that nothing can be reported."""
    missing = object()
    before = sys.modules.get(REPORTING, missing)
    # This is how Python marks a module that cannot be imported.
    sys.modules[REPORTING] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[REPORTING]
        if before is not missing:
            sys.modules[REPORTING] = before  # type: ignore[assignment]


with untracked():
    import openvino

__all__ = ["openvino", "untracked"]
