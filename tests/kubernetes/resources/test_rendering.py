"""--render: a folder for GitOps, the same each time, and nobody else's files touched."""

import re
from pathlib import Path

import pytest
import yaml

from maas.cluster import rendering
from maas.cluster.wanted import Target
from maas.domain.errors import Conflict
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, site, wanted

_EXTERNAL = "elsewhere: {runtime: external, url: https://api.example.com, api_key_file: /etc/key}"


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", Target)
def test_the_same_wishes_give_the_same_bytes(target: Target, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        rendering.render(wanted(SIMULATOR, QWEN3, on=site(target, "t4")), tmp_path / folder)
    again = _contents(tmp_path / "one")
    assert again == _contents(tmp_path / "two")
    rendering.render(wanted(QWEN3, SIMULATOR, on=site(target, "t4")), tmp_path / "one")
    written = _contents(tmp_path / "one")
    changed = {path for path in again.keys() | written.keys() if again.get(path) != written.get(path)}
    assert changed <= {path for path in again if path.endswith("configmap-maas-platform.yaml")}  # maas.yaml as written


def test_what_is_no_longer_wanted_goes_and_what_others_added_stays(tmp_path: Path) -> None:
    rendering.render(wanted(SIMULATOR, QWEN3), tmp_path)
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text("mine")
    assert any("qwen3" in path for path in _contents(tmp_path))
    rendering.render(wanted(metrics=False), tmp_path)
    left = _contents(tmp_path)
    assert not any("qwen3" in path or "metrics" in path for path in left)
    assert left["overlay/kustomization.yaml"] == b"mine"
    assert all(any(path.iterdir()) for path in tmp_path.iterdir() if path.is_dir())


def test_a_folder_with_files_of_others_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(Conflict, match="name an empty folder"):
        rendering.render(wanted(), tmp_path)
    assert _contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(Conflict, match="is a file"):
        rendering.render(wanted(), tmp_path / "out")


@pytest.mark.parametrize("line", ["../outside", "/{}/outside", "a/../../outside"])
def test_an_edited_list_deletes_nothing_elsewhere(line: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    rendering.render(wanted(), tmp_path / "out")
    with (tmp_path / "out" / ".maas-render").open("a") as listed:
        listed.write(line.format(tmp_path) + "\n")
    rendering.render(wanted(), tmp_path / "out")
    assert outside.read_text() == "mine"


def test_no_key_is_written(tmp_path: Path) -> None:
    rendering.render(wanted(_EXTERNAL, credentials={"/etc/key": "sk-the-key"}), tmp_path)
    found = _contents(tmp_path)
    assert not any(b"sk-the-key" in each or b"c2stdGhlLWtleQ" in each for each in found.values())
    assert b"kubectl create secret generic elsewhere-credentials -n llm" in found["README.md"]
    assert b"--from-file=endpoint-1=/etc/key" in found["README.md"]


def test_the_readme_has_the_commands_in_the_order_in_which_they_work(tmp_path: Path) -> None:
    rendering.render(wanted(), tmp_path)
    text = (tmp_path / "README.md").read_text()
    needs = (
        "cert-manager",
        "istiod",
        "kuadrant-operator",
        "kserve",
        "-certificates",
        "-gateway\n",
        "-routes",
        "-models",
    )
    places = [re.search(f"^(helm upgrade --install |kubectl apply .*){each}", text, re.MULTILINE) for each in needs]
    found = [place.start() for place in places if place]
    assert len(found) == len(needs) and found == sorted(found)
    listed = yaml.safe_load((tmp_path / "kustomization.yaml").read_text())["resources"]
    assert all(f"-k {folder}" in text for folder in listed)
    assert all(f"-f charts/{path.name}" in text for path in (tmp_path / "charts").iterdir())


def test_texts_of_several_lines_can_be_read(tmp_path: Path) -> None:
    """And edited: the dashboard and the gateway's pods are no one-line strings."""
    rendering.render(wanted(), tmp_path)
    (path,) = tmp_path.glob("*-gateway/configmap-maas-gateway-pods.yaml")
    assert "  deployment: |\n    spec:\n      replicas: 2\n" in path.read_text()


def test_fields_of_what_a_chart_makes_are_no_object_for_kustomize(tmp_path: Path) -> None:
    """Alone they would be an invalid Deployment: they are applied to the one that is there then."""
    rendering.render(wanted(SIMULATOR, on=site(Target.kubernetes)), tmp_path)
    readme = (tmp_path / "README.md").read_text()
    fields = "charts/deployment-kuadrant-operator-controller-manager.yaml"
    assert "RATELIMIT_SERVICE_FAILURE_MODE" in (tmp_path / fields).read_text()
    assert readme.index("helm upgrade --install kuadrant-operator") < readme.index(f"-f {fields}")
    assert not any("deployment-" in each.read_text() for each in tmp_path.rglob("kustomization.yaml"))


_TRAPS = ("1e3", "12.5e3", "0o17", "0x1f", "y", "n", "yes", "null", "12")


def test_names_that_look_like_numbers_or_truths_stay_names_for_kubectl(tmp_path: Path) -> None:
    """Its YAML takes more for numbers and booleans than PyYAML's: what would be read so stands in quotes."""
    rendering.render(wanted(*(f"'{each}': {{runtime: simulator}}" for each in _TRAPS)), tmp_path)
    written = "\n".join(path.read_text() for path in tmp_path.rglob("*inferenceservice*.yaml"))
    assert all(f"- '{each}'\n" in written for each in _TRAPS)
