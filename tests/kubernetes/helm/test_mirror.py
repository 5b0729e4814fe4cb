"""`maas mirror`: all that an installation takes from the network, whole or not at all; and installing without one."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from maas.cluster import helm as helm_module
from maas.cluster import manifests, mirror, sites
from maas.cluster.components.steps import steps
from maas.cluster.helm import Helm
from maas.cluster.mirroring import collect, minors, wanted_steps
from maas.cluster.plan.model import Apply, Chart, Manifest, Step
from maas.cluster.wanted import Target, Wanted
from maas.domain.errors import MaasError
from maas.domain.platform import Platform
from tests.kubernetes.authority import Authority
from tests.kubernetes.charts.making import StandIn, pack
from tests.kubernetes.charts.templates import workload
from tests.kubernetes.helm.sources import Site, source

BUNDLE = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: told}\n---\nkind: Namespace\nmetadata: {name: first}\n"
MODEL = {"kind": "InferenceService", "spec": {"containers": [{"image": "ghcr.io/llm-d/sim:v1"}]}}


@dataclass
class Told:
    begun_: list[str] = field(default_factory=list)
    kept_: list[str] = field(default_factory=list)
    bytes_: list[tuple[int, int]] = field(default_factory=list)

    def begun(self, what: str, number: int, of: int) -> None:
        self.begun_.append(f"{number}/{of} {what}")

    def progress(self, so_far: int, size: int) -> None:
        self.bytes_.append((so_far, size))

    def kept(self, what: str) -> None:
        self.kept_.append(what)


@pytest.fixture
def site(helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A registry that speaks TLS, whose authority helm and we trust."""
    authority, packed = Authority.new(tmp_path / "pki"), tmp_path / "packed"
    packed.mkdir()
    made = [_chart(name, version, packed) for name, version in (("small", "1.0.0"), ("other", "v2.0.0"))]
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path / "cache"))
    with source(made, {"/bundle.yaml": BUNDLE}, authority) as running:
        yield running


def _chart(name: str, version: str, folder: Path) -> Path:
    templates = {"it.yaml": workload(name, f"example.com/{name}", {"app": name})}
    return pack(StandIn(name, templates), version, folder)


def wanted(site: Site) -> list[Step]:
    charts = (
        Chart("small", "there", "small", "1.0.0", site.repository),
        Chart("other", "there", f"{site.registry}/other", "v2.0.0"),
    )
    bundle = Manifest("bundle-1.yaml", f"{site.url}/bundle.yaml", last=frozenset({"told"}))
    return [Step("one", "", "", actions=charts), Step("two", "", "", actions=(bundle,))]


def collected(site: Site, folder: Path, told: Told | None = None, asked: list[Step] | None = None) -> mirror.Mirror:
    models = [Step("models", "", "", actions=(Apply(MODEL),))]
    return asyncio.run(collect(folder, asked or wanted(site), Helm(), told or Told(), models))


FILES = {"charts/other-v2.0.0.tgz", "charts/small-1.0.0.tgz", "manifests/bundle-1.yaml"}


def test_charts_of_a_repository_and_of_a_registry_and_manifests_are_collected(site: Site, tmp_path: Path) -> None:
    told = Told()
    found = collected(site, tmp_path / "m", told)
    assert set(found.files) == FILES
    assert [each.partition(" ")[0] for each in told.begun_] == ["1/3", "2/3", "3/3"]
    assert told.bytes_[-1] == (len(BUNDLE), len(BUNDLE))
    assert mirror.read(tmp_path / "m") == found
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["charts", "images.txt", "manifests", "mirror.json"]


def test_the_images_that_nodes_will_pull_are_listed(site: Site, tmp_path: Path) -> None:
    found = collected(site, tmp_path / "m")
    listed = (tmp_path / "m" / "images.txt").read_text().splitlines()
    assert listed == ["example.com/other:v2.0.0", "example.com/small:1.0.0", "ghcr.io/llm-d/sim:v1"]
    assert found.images["charts/small-1.0.0.tgz"] == ["example.com/small:1.0.0"]


def test_what_is_there_and_whole_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    collected(site, tmp_path / "m")
    (tmp_path / "m" / "manifests" / "bundle-1.yaml").write_bytes(b"damaged")
    site.asked.clear()
    told = Told()
    collected(site, tmp_path / "m", told)
    assert told.kept_ == ["charts/other-v2.0.0.tgz", "charts/small-1.0.0.tgz"]
    assert [path for path, _ in site.asked] == ["/bundle.yaml"]
    mirror.read(tmp_path / "m")


def test_one_that_was_not_completed_is_none(site: Site, tmp_path: Path) -> None:
    del site.content["/bundle.yaml"]
    with pytest.raises(MaasError, match=r"bundle\.yaml answered 404"):
        collected(site, tmp_path / "m")
    with pytest.raises(mirror.BadMirror, match=r"has no mirror\.json: it was never completed"):
        mirror.read(tmp_path / "m")


def test_an_older_one_stays_usable_until_the_new_one_is_complete(site: Site, tmp_path: Path) -> None:
    collected(site, tmp_path / "m")
    newer = [Step("one", "", "", actions=(Chart("small", "there", "small", "9.9.9", site.repository),))]
    with pytest.raises(MaasError, match=r"9\.9\.9"):
        collected(site, tmp_path / "m", asked=newer)
    assert set(mirror.read(tmp_path / "m").files) == FILES
    collected(site, tmp_path / "m", asked=wanted(site)[:1])
    assert not (tmp_path / "m" / "manifests" / "bundle-1.yaml").exists()  # nobody asks for it any more
    mirror.read(tmp_path / "m")


def test_a_page_in_place_of_a_manifest_is_not_taken(site: Site, tmp_path: Path) -> None:
    """Proxies answer 200 with a page that asks for a password."""
    site.content["/bundle.yaml"] = (b"<html>log in</html>", "text/html")
    with pytest.raises(MaasError, match="did a proxy answer in its place"):
        collected(site, tmp_path / "m")


def damaged(folder: Path) -> str:
    with pytest.raises(mirror.BadMirror) as refused:
        mirror.read(folder)
    return str(refused.value)


def test_damage_is_named_file_by_file(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    collected(site, folder)
    (folder / "charts" / "small-1.0.0.tgz").write_bytes(b"x")
    (folder / "charts" / "other-v2.0.0.tgz").unlink()
    said = damaged(folder)
    assert "nothing was installed" in said
    assert "charts/other-v2.0.0.tgz: missing" in said
    assert "charts/small-1.0.0.tgz: not the file that was mirrored" in said
    assert "bundle" not in said
    assert f"maas mirror {folder}" in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        (json.dumps({"format": 1, "files": {"../secret": "x"}, "images": {}}), "cannot be read"),
        (json.dumps({"format": 2, "files": {}, "images": {}}), "another version of MaaS"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "mirror.json").write_text(written)
    assert said in damaged(tmp_path)


def test_a_folder_that_is_not_there_is_told_from_one_that_was_not_completed(tmp_path: Path) -> None:
    assert "is not there" in damaged(tmp_path / "nowhere")
    assert "never completed" in damaged(tmp_path)


def test_a_mirror_for_other_versions_is_refused_before_anything_is_done(site: Site, tmp_path: Path) -> None:
    collected(site, tmp_path / "m")
    newer = Step("three", "", "", actions=(Chart("small", "there", "small", "1.1.0"),))
    with pytest.raises(mirror.BadMirror, match=r"charts/small-1\.1\.0\.tgz"):
        mirror.require(tmp_path / "m", [*wanted(site), newer])
    mirror.require(tmp_path / "m", wanted(site))


def test_an_installation_from_it_asks_the_network_for_nothing(site: Site, tmp_path: Path) -> None:
    collected(site, tmp_path / "m")
    site.asked.clear()
    site.content.clear()

    async def main() -> None:
        tool = Helm(mirror=tmp_path / "m")
        for action in (action for step in wanted(site) for action in step.actions):
            if isinstance(action, Chart):
                assert await tool.rendered(action)
            elif isinstance(action, Manifest):
                found = await manifests.objects(action, tmp_path / "m")
                assert [each["metadata"]["name"] for each in found] == ["first", "told"]  # as it asks for

    asyncio.run(main())
    assert site.asked == []


def test_without_more_being_said_a_mirror_serves_every_cluster_that_there_are_pins_for() -> None:
    site = sites.assumed(Target.kubernetes)
    every = wanted_steps(Wanted(Platform({}, {}), site))
    held = set(mirror.places(every))
    for minor in minors():
        needed = steps(Wanted(Platform({}, {}), replace(site, kubernetes=minor), gpu_operator=True))
        assert set(mirror.places(needed)) <= held, minor
    assert {"charts/istiod-1.30.3.tgz", "charts/istiod-1.28.10.tgz", "charts/gpu-operator-v26.7.0.tgz"} <= held
    one = set(mirror.places(wanted_steps(Wanted(Platform({}, {}), site), ["1.34"])))
    assert one < held


def test_where_a_chart_lies_is_where_helm_puts_it() -> None:
    assert helm_module.packed(Chart("a", "b", "oci://example.com/charts/it", "v1.0.0")) == "charts/it-v1.0.0.tgz"
