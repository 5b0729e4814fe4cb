"""Who types the command: for the audit, and the owner of keys that name none."""

import os
import pwd


def user() -> str:
    """The name of the uid, since $USER stays as it was under sudo; a container's user may have neither."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = os.environ.get("USER") or f"uid-{os.getuid()}"
    return name.encode("ascii", "replace").decode()
