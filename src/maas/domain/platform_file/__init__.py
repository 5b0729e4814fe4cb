"""maas.yaml: reading it, writing it, comparing it, and changing a part of it without losing its comments."""

from importlib import resources

from maas.domain.platform_file import editing
from maas.domain.platform_file.changes import Change, Kind, diff
from maas.domain.platform_file.reading import load
from maas.domain.platform_file.writing import dump

__all__ = ["Change", "Kind", "default_text", "diff", "dump", "editing", "load"]


def default_text() -> str:
    """The commented file that `maas init` writes."""
    return resources.files(__name__).joinpath("platform_default.yaml").read_text("utf-8")
