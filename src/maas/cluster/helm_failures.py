"""What helm says when it fails, in sentences that name the release, the cause and what to do.

HelmFailed has its message for people, which is what was `said` and the `advice`, if any; and `words`, what helm itself
wrote.
"""

import re
from dataclasses import dataclass

from maas.cluster.plan.model import Chart
from maas.domain.errors import Unavailable


class HelmFailed(Unavailable):
    def __init__(self, said: str, words: str, advice: str = "") -> None:
        super().__init__(f"{said}\n{advice}".rstrip())
        self.said, self.words, self.advice = said, words, advice


class HelmMissing(Unavailable):
    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}.\nOn Kubernetes the components come from Helm charts: install helm 3.14 or newer,\n"
            "https://helm.sh/docs/intro/install/, or say where it is: MAAS_HELM=/path/to/helm"
        )


@dataclass(frozen=True)
class _Known:
    sign: re.Pattern[str]
    advice: str


def _known(sign: str, advice: str) -> _Known:
    return _Known(re.compile(sign, re.IGNORECASE), advice)


_KNOWN = (  # the first that is met: the API server calls a used-up quota forbidden, too
    _known(r"exceeded quota", "A ResourceQuota of the namespace is used up: raise it."),
    _known(
        r"another operation .* is in progress",
        "Somebody else is changing this release: wait for it, and run the same command again.",
    ),
    _known(
        r"invalid ownership metadata|cannot be imported into the current release",
        "It is there already and belongs to no Helm release, or to another one. Remove it, or keep it:\n"
        "what was installed in another way is left alone where it is recognised (`maas preflight`).",
    ),
    _known(
        r"no matches for kind|ensure CRDs are installed first",
        "A kind is missing that an earlier step brings. Run the same command again.",
    ),
    _known(
        r"denied the request|failed calling webhook",
        "An admission webhook refuses it, or does not answer: the message names it.",
    ),
    _known(
        r"is forbidden|cannot (create|get|list|patch|update|delete) resource",
        "Your user lacks this right: `maas rbac --render` prints all that an installation needs.",
    ),
    _known(
        r"no such host|connection refused|i/o timeout|context deadline exceeded|network is unreachable|TLS handshake|"
        r"failed to (fetch|download|do request)|looks like .* is not a valid chart repository|proxyconnect",
        "Charts come from the internet: is a proxy needed (HTTPS_PROXY)? Without a network, run\n"
        "`maas mirror DIR` where there is one, and give the folder to `maas install --mirror DIR`.",
    ),
    _known(
        r"(chart|version) .*not found|no chart version found|not found: manifest unknown",
        "The repository does not have that version: `maas version --components` lists what is asked for.",
    ),
)


_WITHOUT_RELEASE = ("pull", "template")


def explained(verb: str, release: str, namespace: str, chart: Chart | None, said: str) -> HelmFailed:
    """said: helm's stderr."""
    words = _words(said)
    where, of = f"Helm release {namespace}/{release}", f" (chart {chart.chart} {chart.version})" if chart else ""
    if chart and verb in _WITHOUT_RELEASE:
        where, of = f"chart {chart.chart} {chart.version}", f" (of {chart.repo})" if chart.repo else ""
    advice = next((each.advice for each in _KNOWN if each.sign.search(words)), "")
    return HelmFailed(f"{where}{of}: helm {verb} failed:\n{words}", words, advice)


_HEADING = re.compile(r"^Error: (?:(?:INSTALLATION|UPGRADE|UNINSTALLATION|ROLLBACK) FAILED: )?")


def _words(said: str) -> str:
    """From its error on: before, there are warnings; and never more than a screen."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if line.startswith("Error:")), 0)
    kept = lines[start : start + 12]
    return "\n".join([_HEADING.sub("", kept[0]), *kept[1:]]) if kept else "it gave no reason"
