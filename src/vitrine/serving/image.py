"""What `bentoml containerize` makes the service's image by."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bentoml.images import Image

BOOTSTRAP = Path("requirements/bootstrap.txt")
"""The locked installer, with its hashes; it is where a Bento is built, and not in a Bento."""
BENTO = "/home/bentoml/bento"
"""Where BentoML puts the Bento in an image."""
HOME = "/tmp/bentoml"  # noqa: S108 - made in a container of its own
LOG = "/log"
"""A folder of the service's user, for a volume with the prediction log."""
HEALTH = (
    "import os, urllib.request as r; "
    # BentoML's start takes PORT as well; no proxy leads to this address.
    "port = os.environ.get('PORT') or os.environ.get('BENTOML_PORT', '3000'); "
    "r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + port + '/readyz', timeout=4)"
)
# BentoML marks its images by this variable, and does not replace a dead worker where it is set.
START = ["env", "--unset=BENTOML_CONTAINERIZED", "bentoml", "serve", BENTO]


def container_image(root: Path) -> "Image | None":
    """Describe the image: slim, without a compiler, everything installed by its hash.

    BentoML's own description would install a compiler and git, and an installer of any version.

    Args:
        root: Where the service is loaded: the repository's root, or a Bento's folder of sources.

    Returns:
        The description for BentoML; None in a Bento, which has its own already.
    """
    if not (root / BOOTSTRAP).is_file():
        return None
    from bentoml.images import Image

    locked = (root / BOOTSTRAP).read_text(encoding="utf-8")
    installer = " ".join(locked.replace("\\\n", " ").split())
    # No distribution that BentoML knows: it would add that one's compiler.
    base = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
    return Image(base_image=base, distro="").run(
        f"echo '{installer}' > /tmp/installer.txt && "
        "pip install --no-cache-dir --require-hashes --requirement /tmp/installer.txt && "
        f"install --directory --owner=$BENTO_USER --group=$BENTO_USER {LOG}\n"
        # BentoML has words for commands alone. The line break ends this one; what follows are
        # instructions of the Dockerfile. Only wheels are installed, so that no setup code runs.
        "ENV UV_NO_BUILD=1\n"
        # A home that it may make itself: all else of the image can then be read-only.
        f"ENV BENTOML_HOST=0.0.0.0 BENTOML_HOME={HOME}\n"
        "HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 "
        f"CMD {json.dumps(['python', '-c', HEALTH])}\n"
        f"CMD {json.dumps(START)}\n"
    )
