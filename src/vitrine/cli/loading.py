"""Loading TensorFlow without the lines that it writes about itself."""

import os
import sys
import tempfile

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def load_tensorflow() -> None:
    """Import TensorFlow; what it writes to stderr meanwhile is shown only if that fails.

    It logs from C++ before it reads its own log level, a dozen lines on a machine without a GPU.
    Whoever sets TF_CPP_MIN_LOG_LEVEL sees all that this level asks for.
    """
    if LEVEL in os.environ:
        return
    os.environ[LEVEL] = "3"
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
