"""Keeping secrets out of what all may read: GitHub hides them in its logs, not in comments."""

import os
import re

from vitrine.core.markdown import plain

_NAMES = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY|CREDENTIAL", re.IGNORECASE)
_USER = re.compile(r"(:\u200b?//)[^/\s@]+@")
_SHORTEST = 6
HIDDEN = "***"


def hide(text: str) -> str:
    """Return a text without the users in its addresses and the values of secret variables.

    Secret is a variable of the environment whose name says so, such as `AWS_SECRET_ACCESS_KEY`.
    """
    values = {
        value
        for name, value in os.environ.items()
        if _NAMES.search(name) and len(value) >= _SHORTEST
    }
    # In a table or a list it may stand with the marks of Markdown escaped.
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, HIDDEN).replace(plain(value), HIDDEN)
    return _USER.sub(rf"\1{HIDDEN}@", text)
