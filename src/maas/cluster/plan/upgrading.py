"""Components of ours in other versions than the pinned ones.

`maas install` leaves them: somebody who adds a model has not asked for another Istio. `maas upgrade` brings them to the
pinned version, never back to an older one. What others installed is theirs to upgrade.
"""

from collections.abc import Sequence

from maas.cluster.components.versions import version
from maas.cluster.helm import CHART_VERSION, newest
from maas.cluster.objects import Object
from maas.cluster.plan.model import Chart


def installed(chart: Chart, records: Sequence[Object]) -> str:
    """Which version of the chart our release of that name has; "" if there is none, or it is not whole."""
    found = next(
        (each for each in newest(records) if (each.namespace, each.name) == (chart.namespace, chart.release)), None
    )
    whole = found is not None and found.ours and found.status == "deployed"
    return found.labels.get(CHART_VERSION, "") if found is not None and whole else ""


def is_newer(found: str, pinned: str) -> bool:
    one, other = version(found), version(pinned)
    return one is not None and other is not None and one > other


def kept(chart: Chart, found: str) -> str:
    """A sentence for people."""
    stays = f"{chart.release} stays at {found.removeprefix('v')}"
    if is_newer(found, chart.version):
        return f"{stays}: that is newer than {chart.version.removeprefix('v')}, which this maas brings"
    return f"{stays}: `maas upgrade` brings {chart.version.removeprefix('v')}"
