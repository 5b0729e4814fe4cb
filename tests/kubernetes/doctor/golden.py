"""The diagnoses of which the words are kept: of known issues alone, so that other checks' words do not matter.

`python -m tests.kubernetes.doctor.golden` writes the files anew.
"""

from collections.abc import Iterator
from pathlib import Path

from maas.cluster.facts.model import Facts
from maas.readiness.diagnosis_document import document, markdown
from maas.readiness.diagnosis_text import short, told
from maas.readiness.doctor import Diagnosis, Topic, diagnose
from maas.readiness.judging import judge
from maas.readiness.reports import Look
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.known_issues.planted import KUBERNETES, OF_MODELS, OF_THE_PLATFORM, OPENSHIFT, planted

FOLDER = Path(__file__).parent / "golden"
DESCRIBED = "context test (https://127.0.0.1:6443)"


def models() -> Scenario:
    return planted(KUBERNETES(), *OF_MODELS)


def platform() -> Scenario:
    return planted(OPENSHIFT(), *OF_THE_PLATFORM)


def diagnosed(scenario: Scenario, topic: Topic = Topic.all, model: str = "") -> Diagnosis:
    facts: Facts = scenario.facts()
    return diagnose(facts, judge(facts, scenario.asked, only=["MAAS-4"]), topic, model)


def texts() -> Iterator[tuple[str, str]]:
    """By the file's name."""
    narrow = Look(80)
    yield "models.txt", told(diagnosed(models()), DESCRIBED, narrow)
    yield "platform.txt", told(diagnosed(platform()), DESCRIBED, narrow)
    yield "gpu.txt", told(diagnosed(platform(), Topic.gpu), DESCRIBED, narrow)
    yield "auth.txt", told(diagnosed(platform(), Topic.auth), DESCRIBED, narrow)
    yield "model.txt", told(diagnosed(models(), Topic.model, "llm/triton"), DESCRIBED, narrow)
    yield "short.txt", short(diagnosed(platform()), DESCRIBED, narrow)
    yield "well.txt", told(diagnosed(KUBERNETES().after()), DESCRIBED, narrow)
    yield "markdown.md", markdown(diagnosed(platform(), Topic.auth), DESCRIBED)
    yield "json.json", document(diagnosed(models(), Topic.model, "triton"), DESCRIBED)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts():
        (FOLDER / name).write_text(text)
