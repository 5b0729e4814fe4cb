"""How models are served: which GPU, which version of vLLM, which arguments, and what their pods may do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.objects import Object, items, mapping, text, texts
from maas.cluster.plan.model import Apply
from maas.cluster.resources import models
from maas.cluster.wanted import GpuKind, Site, Target, Wanted
from maas.domain.errors import InvalidInput, InvalidPlatform, MaasError, Unavailable
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, device, site, wanted


def objects(wish: Wanted) -> list[Object]:
    return [action.object for step in models.steps(wish) for action in step.actions if isinstance(action, Apply)]


def predictor(wish: Wanted) -> Mapping[str, Any]:
    (found,) = (each for each in objects(wish) if each["kind"] == "InferenceService")
    return mapping(found, "spec", "predictor")


def container(wish: Wanted) -> Object:
    (found,) = items(predictor(wish), "containers")
    return found


def arguments(wish: Wanted) -> list[str]:
    return texts(container(wish), "args")


def environment(wish: Wanted) -> dict[str, str]:
    return {text(each, "name"): text(each, "value") for each in items(container(wish), "env")}


def on(*gpus: tuple[str, int]) -> Site:
    """Kinds of GPU, and how many are free."""
    kinds = tuple(GpuKind(device(name), free, {"nvidia.com/gpu.product": name}) for name, free in gpus)
    return replace(site(), gpus=kinds)


def test_on_a_t4_what_crashes_there_is_avoided() -> None:
    wish = wanted(QWEN3, on=site(gpu="t4"))
    assert text(container(wish), "image") == "vllm/vllm-openai:v0.10.2"
    found = arguments(wish)
    assert {"--model=Qwen/Qwen3-0.6B", "--port=8080", "--dtype=float16", "--enforce-eager"} <= set(found)
    assert {"--gpu-memory-utilization=0.85", "--enable-force-include-usage"} <= set(found)
    assert "VLLM_USE_V1" not in environment(wish)


def test_on_an_a100_it_is_not_held_back() -> None:
    found = arguments(wanted(QWEN3, on=site(gpu="a100-80")))
    assert "--dtype=bfloat16" in found and "--enforce-eager" not in found


def test_on_a_v100_it_is_the_last_version_that_runs_there() -> None:
    wish = wanted(QWEN3, on=site(gpu="v100"))
    assert text(container(wish), "image") == "vllm/vllm-openai:v0.8.5.post1"
    assert environment(wish)["VLLM_USE_V1"] == "0"
    assert "--enable-force-include-usage" not in arguments(wish)  # that version does not know it


def test_a_gpu_that_no_vllm_runs_on_is_refused_with_the_reason() -> None:
    old = replace(device("t4"), name="p100", capability=60)
    with pytest.raises(Unavailable, match=r"p100: no version of vLLM runs on compute capability 6\.0"):
        objects(wanted(QWEN3, on=replace(site(), gpus=(GpuKind(old, 1),))))


def test_what_does_not_fit_is_refused_with_what_would_help() -> None:
    with pytest.raises(Unavailable) as refused:
        objects(wanted("big: {runtime: vllm, weights: Qwen/Qwen3-8B}", on=site(gpu="t4")))
    said = str(refused.value)
    assert said.startswith("models.big: Qwen/Qwen3-8B fits on no GPU of this cluster. t4: the weights leave no memory")
    assert "--gpu l4" in said and "--gpus 2" in said


@pytest.mark.parametrize(
    "gpus,chosen",
    [
        ([("a100-80", 4), ("t4", 1)], "t4"),  # the small one is enough
        ([("a100-80", 4), ("t4", 0)], "a100-80"),  # and nobody waits for it
        ([("a100-80", 0), ("t4", 0)], "t4"),  # unless all are taken
    ],
)
def test_the_smallest_free_gpu_on_which_it_fits_is_chosen(gpus: list[tuple[str, int]], chosen: str) -> None:
    assert predictor(wanted(QWEN3, on=on(*gpus)))["nodeSelector"] == {"nvidia.com/gpu.product": chosen}


def _chosen(wish: Wanted) -> dict[str, str]:
    found = [each for each in objects(wish) if each["kind"] == "InferenceService"]
    where = "spec", "predictor", "nodeSelector", "nvidia.com/gpu.product"
    return {text(each, "metadata", "name"): text(each, *where) for each in found}


def test_two_models_do_not_wait_for_the_same_gpu() -> None:
    two = ("b: {runtime: vllm, weights: Qwen/Qwen3-0.6B}", "a: {runtime: vllm, weights: Qwen/Qwen3-0.6B}")
    gpus = on(("t4", 1), ("a100-80", 1))
    assert _chosen(wanted(*two, on=gpus)) == {"b": "t4", "a": "a100-80"}
    assert _chosen(wanted(two[0], on=gpus)) == {"b": "t4"}  # the one that came later did not move it


def _spread(by_node: tuple[int, ...], *many: int) -> str:
    """To which cards these models go, one after another, where others are there as well: "t4 t4 a100-80"."""
    t4 = GpuKind(device("t4"), max(by_node), {"nvidia.com/gpu.product": "t4"}, by_node)
    a100 = GpuKind(device("a100-80"), 8, {"nvidia.com/gpu.product": "a100-80"}, (8, 8))
    entry = "m{}: {{runtime: vllm, weights: Qwen/Qwen3-0.6B, options: {{tensor-parallel-size: {}}}}}"
    wish = wanted(*(entry.format(at, each) for at, each in enumerate(many)), on=replace(site(), gpus=(a100, t4)))
    return " ".join(card for _, card in sorted(_chosen(wish).items()))


@pytest.mark.parametrize(
    "by_node,many,chosen",
    [
        ((1, 1, 1), (1, 1, 1, 1), "t4 t4 t4 a100-80"),  # one on each of three nodes
        ((4, 1, 0), (4, 1, 1), "t4 t4 a100-80"),  # three of that node's are in use, all of the last one's
        ((4, 4), (2, 2, 2, 2), "t4 t4 t4 t4"),
        ((3, 3), (2, 2, 2), "t4 t4 a100-80"),  # two are left, on two nodes: no model spans them
        ((8, 8), (8, 8, 1), "t4 t4 a100-80"),
    ],
)
def test_gpus_are_counted_over_all_nodes_of_a_kind(
    by_node: tuple[int, ...], many: tuple[int, ...], chosen: str
) -> None:
    assert _spread(by_node, *many) == chosen


def test_a_model_goes_where_it_fits() -> None:
    wish = wanted("big: {runtime: vllm, weights: Qwen/Qwen3-14B}", on=on(("t4", 4), ("a100-80", 1)))
    assert predictor(wish)["nodeSelector"] == {"nvidia.com/gpu.product": "a100-80"}


def test_where_nobody_knows_the_gpus_it_is_told_what_all_can_do() -> None:
    wish = wanted(QWEN3)
    assert {"--dtype=float16", "--enforce-eager"} <= set(arguments(wish))
    assert predictor(wish)["nodeSelector"] == {"nvidia.com/gpu.present": "true"}


def test_several_gpus_are_asked_for_where_the_options_say_so() -> None:
    entry = "big: {runtime: vllm, weights: Qwen/Qwen3-8B, options: {tensor-parallel-size: 2}}"
    wish = wanted(entry, on=site(gpu="t4"))
    assert "--tensor-parallel-size=2" in arguments(wish)
    assert mapping(container(wish), "resources", "limits")["nvidia.com/gpu"] == "2"


@pytest.mark.parametrize("written", ["²", "0", "-1", "two", "1.5", "9" * 5000])
def test_what_is_no_number_of_gpus_is_refused(written: str) -> None:
    entry = f"big: {{runtime: vllm, weights: Qwen/Qwen3-8B, options: {{tensor-parallel-size: '{written}'}}}}"
    with pytest.raises(InvalidInput, match=r"models\.big: tensor-parallel-size: .* Write 1, 2, 4 or 8"):
        arguments(wanted(entry, on=site(gpu="t4")))


def test_what_the_user_wrote_wins_but_for_metering() -> None:
    entry = "q: {runtime: vllm, weights: Qwen/Qwen3-0.6B, context_length: 2048, options: {max-num-seqs: 3, seed: 7}}"
    found = arguments(wanted(entry, on=site(gpu="t4")))
    assert {"--max-num-seqs=3", "--seed=7", "--max-model-len=2048", "--enable-force-include-usage"} <= set(found)


def test_clients_names_are_the_server_s_names() -> None:
    entry = "qwen3.0: {runtime: vllm, weights: Qwen/Qwen3-0.6B, aliases: [small, tiny]}"
    found = arguments(wanted(entry))
    at = found.index("--served-model-name")
    assert found[at + 1 : at + 4] == ["qwen3.0", "small", "tiny"]


@pytest.mark.parametrize(
    "place,model,extra",
    [
        ("org/model", "org/model", {}),
        ("hf://org/model", "org/model", {}),
        ("s3://bucket/path", "/mnt/models", {"STORAGE_URI": "s3://bucket/path"}),
        ("oci://example.com/model:1", "/mnt/models", {"STORAGE_URI": "oci://example.com/model:1"}),
        ("pvc://claim/a/b", "/mnt/models/a/b", {}),
        ("pvc://claim", "/mnt/models", {}),
        ("pvc://claim/", "/mnt/models", {}),
        ("pvc://claim/a..b/.c/", "/mnt/models/a..b/.c", {}),
        ("s3://my.bucket", "/mnt/models", {"STORAGE_URI": "s3://my.bucket"}),
        (
            "oci://here:5000/a/b@sha256:" + "0" * 64,
            "/mnt/models",
            {"STORAGE_URI": "oci://here:5000/a/b@sha256:" + "0" * 64},
        ),
    ],
)
def test_weights_are_got_from_where_they_are(place: str, model: str, extra: Mapping[str, str]) -> None:
    wish = wanted(f"m: {{runtime: vllm, weights: {place!r}}}")
    assert f"--model={model}" in arguments(wish)
    assert {k: v for k, v in environment(wish).items() if k == "STORAGE_URI"} == extra
    claims = [text(each, "persistentVolumeClaim", "claimName") for each in items(predictor(wish), "volumes")]
    assert ("claim" in claims) == place.startswith("pvc://")


@pytest.mark.parametrize(
    "place",
    [
        *("/models/qwen", "./qwen", "../up", "qwen", "a/b/c", "pvc://", "s3://", "oci://", "gs://b/c", "~/m"),
        *("pvc://claim/../..", "pvc://claim/a/../b", "pvc://claim//etc", "pvc://claim/a/./b", "pvc://claim/a//b"),
        *("pvc://../a", "pvc://a/..", "s3:///x", "s3://b/../c", "s3://b/a//c", "oci://a/../b", "oci://image"),
    ],
)
def test_weights_that_no_pod_can_read_are_refused_with_what_to_write(place: str) -> None:
    with pytest.raises(InvalidInput, match=r"models\.m\.weights.*pvc://CLAIM/PATH.*s3://BUCKET/PATH"):
        objects(wanted(f"m: {{runtime: vllm, weights: {place!r}}}"))


def test_a_bucket_s_credentials_come_by_a_service_account() -> None:
    wish = wanted("m: {runtime: vllm, weights: 's3://bucket/path'}")
    accounts = [each for each in objects(wish) if each["kind"] == "ServiceAccount"]
    assert [text(each, "metadata", "name") for each in accounts] == [predictor(wish)["serviceAccountName"]]


@pytest.mark.parametrize(
    "entry,said",
    [
        ("m: {runtime: simulator, options: {port: 80}}", r"models\.m\.options\.port: is the platform's own"),
        ("m: {runtime: simulator, options: {sped: 1}}", r"models\.m\.options\.sped: the simulator has no such option"),
        (
            "m: {runtime: vllm, weights: a/b, options: {api-key: x}}",
            r"models\.m\.options\.api-key: is the platform's own",
        ),
    ],
)
def test_options_that_a_server_would_crash_on_are_refused(entry: str, said: str) -> None:
    with pytest.raises(InvalidPlatform, match=said):
        objects(wanted(entry))


def test_options_of_the_simulator_reach_it() -> None:
    assert "--time-to-first-token=100ms" in arguments(
        wanted("m: {runtime: simulator, options: {time-to-first-token: 100ms}}")
    )


def test_llama_cpp_is_refused_with_what_to_use_instead() -> None:
    with pytest.raises(InvalidInput, match="on a cluster write vllm"):
        objects(wanted("m: {runtime: llama-cpp, weights: Qwen/Qwen3-0.6B-GGUF}"))


def test_downloads_are_kept_on_a_claim_where_the_cluster_gives_one() -> None:
    wish = wanted(QWEN3, on=site(gpu="t4"))
    (claim,) = (each for each in objects(wish) if each["kind"] == "PersistentVolumeClaim")
    assert text(claim, "spec", "resources", "requests", "storage") == "12Gi"
    without = wanted(QWEN3, on=replace(site(gpu="t4"), has_default_storage=False))
    assert not any(each["kind"] == "PersistentVolumeClaim" for each in objects(without))
    assert {"name": "cache", "emptyDir": {"sizeLimit": "12Gi"}} in predictor(without)["volumes"]


@pytest.mark.parametrize("entry", [SIMULATOR, QWEN3])
def test_pods_may_do_as_little_as_possible(entry: str) -> None:
    for target in Target:
        wish = wanted(entry, on=site(target, "t4"))
        context, pod = mapping(container(wish), "securityContext"), predictor(wish)
        assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False
        assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
        assert ("runAsUser" in pod["securityContext"]) == (target is Target.kubernetes)  # OpenShift chooses its own


def test_a_server_without_a_writable_root_has_a_home() -> None:
    wish = wanted(QWEN3, on=site(gpu="t4"))
    mounts = {text(each, "mountPath") for each in items(container(wish), "volumeMounts")}
    assert {"/cache", "/tmp", "/dev/shm"} <= mounts
    homes = {key: value for key, value in environment(wish).items() if key.endswith(("HOME", "_DIR", "_ROOT"))}
    assert len(homes) > 4 and all(value.startswith("/cache") for value in homes.values())


def test_on_one_gpu_the_old_pod_ends_before_the_new_one_starts() -> None:
    assert predictor(wanted(QWEN3))["deploymentStrategy"] == {"type": "Recreate"}
    assert "deploymentStrategy" not in predictor(wanted())


def test_large_weights_have_longer_to_load() -> None:
    def patience(weights: str) -> float:
        (step,) = models.steps(wanted(f"m: {{runtime: vllm, weights: {weights}}}", on=site(gpu="a100-80")))
        return step.waits[0].patience

    assert patience("Qwen/Qwen3-32B") > patience("Qwen/Qwen3-0.6B") + 2000


def test_without_models_there_is_nothing_to_do() -> None:
    wish = wanted()
    none = replace(wish, platform=replace(wish.platform, models={}))
    assert models.steps(none) == []


def test_refusals_are_ours_and_name_the_model() -> None:
    for entry in ("m: {runtime: vllm, weights: ./x}", "m: {runtime: llama-cpp, weights: a/b}"):
        with pytest.raises(MaasError, match=r"models\.m"):
            objects(wanted(entry))


@pytest.mark.parametrize("target", Target)
def test_kserve_makes_no_way_in_of_its_own(target: Target) -> None:
    """Of an Ingress that it made, no policy would know (its reconcilers ask for this label, since 0.13 at least)."""
    (found,) = (each for each in objects(wanted(on=site(target))) if each["kind"] == "InferenceService")
    assert mapping(found, "metadata", "labels")["networking.kserve.io/visibility"] == "cluster-local"
