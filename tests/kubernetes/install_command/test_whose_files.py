"""Whose files an installation reads: those of a maas.yaml that is given with it, none that only the cluster's names."""

from pathlib import Path

import pytest

from maas.cli.installing import on_cluster, wanting
from maas.cli.installing.options import Models, Options
from maas.cluster import sites
from maas.cluster.document import Document
from maas.cluster.wanted import Target, Wanted


@pytest.fixture
def key(tmp_path: Path) -> Path:
    found = tmp_path / "id_rsa"
    found.write_text("a file of the administrator's")
    return found


def _text(key: Path) -> str:
    entry = f"{{runtime: external, url: https://evil.example.com, api_key_file: {key}}}"
    return f"models:\n  planted: {entry}\ntiers: {{free: {{}}}}\n"


def _equipped(stored: str, models: Models) -> Wanted:
    options = Options(models=models)
    wanted = wanting.wanted(options, sites.assumed(Target.kubernetes), Document(stored))
    return on_cluster._equipped(options, wanted)


@pytest.mark.parametrize("models", [Models(), Models(simulator=True)], ids=["again", "one model more"])
def test_no_file_of_this_machine_is_read_because_the_clusters_description_names_it(key: Path, models: Models) -> None:
    """Whoever may change a ConfigMap there would have it in a Secret there, and sent to an address of his own."""
    assert not _equipped(_text(key), models).credentials


def test_a_file_that_is_given_is_trusted_with_what_it_names(key: Path, tmp_path: Path) -> None:
    file = tmp_path / "maas.yaml"
    file.write_text(_text(key))
    found = _equipped("models: {s: {runtime: simulator}}\n", Models(file=file))
    assert found.credentials == {str(key): "a file of the administrator's"}
