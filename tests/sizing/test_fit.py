"""Does it fit, and with which arguments: the rules of the cards, and what has to hold for every card and model."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.models.sizing import config, qwen3, vllm
from maas.models.sizing.architecture import BLOCK, Architecture, Method, Quantisation
from maas.models.sizing.fit import GIB, Device, Fit, Room, Wish, advice, environment, fit
from maas.models.sizing.vllm import CacheType, DType
from tests.sizing.configs import KNOWN


def qwen(size: str) -> Architecture:
    model = qwen3.find(f"qwen3-{size}")
    assert model is not None
    return model


T4 = Device("T4", int(14.56 * GIB), 75)
V100 = Device("V100", int(15.77 * GIB), 70)
A10G = Device("A10G", int(22.06 * GIB), 86)
L4 = Device("L4", int(22.03 * GIB), 89)
A100 = Device("A100-80", int(79.15 * GIB), 80)
CARDS = (T4, V100, A10G, L4, A100)

models = st.sampled_from(
    [*(qwen(name.removeprefix("Qwen/Qwen3-")) for name in qwen3.names())]
    + [config.from_config(known.config, name) for name, known in KNOWN.items()]
)
totals = st.integers(GIB, 200 * GIB)
wishes = st.builds(
    Wish,
    gpus=st.sampled_from([1, 2, 4, 8]),
    context=st.none() | st.integers(1, 300_000),
    concurrency=st.none() | st.integers(1, 500),
    dtype=st.none() | st.sampled_from(DType),
    kv_dtype=st.sampled_from(CacheType),
    utilisation=st.none() | st.floats(0.1, 0.99),
)
capabilities = st.sampled_from([61, 70, 75, 80, 86, 89, 90, 100, 120])


def _batch(found: Fit) -> int:
    """What vLLM will take: as it is told, or as it chooses by itself."""
    by_itself = 16384 if found.device.total >= 160 * GIB else 8192 if found.device.total >= 70 * GIB else 2048
    return found.batched or by_itself


@given(models, totals, totals, capabilities, wishes)
@settings(max_examples=400, deadline=None)
def test_more_memory_never_fits_less(model: Architecture, one: int, two: int, capability: int, wish: Wish) -> None:
    small, large = (fit(model, Device("card", total, capability), wish) for total in sorted((one, two)))
    assert large.cache >= small.cache
    assert large.max_context >= small.max_context
    assert large.fits >= small.fits
    if large.context == small.context:
        assert large.max_concurrency >= small.max_concurrency


@given(models, totals, capabilities, wishes)
@settings(max_examples=400, deadline=None)
def test_concurrency_times_context_never_exceeds_the_cache(
    model: Architecture, total: int, capability: int, wish: Wish
) -> None:
    found = fit(model, Device("card", total, capability), wish)
    element = 1 if found.kv_dtype is CacheType.fp8 else found.dtype.size
    room = Room(model, found.cache, element, wish.gpus, 2 * _batch(found))
    each = room.sequence(found.context)
    assert found.max_concurrency * each <= found.cache
    assert (found.max_concurrency + 1) * each > found.cache, "it is the largest"
    assert found.tokens * found.bytes_per_token <= found.cache
    assert found.tokens % BLOCK == 0
    assert found.max_context <= model.max_context
    if found.max_context:
        assert room.sequence(found.max_context) * (wish.concurrency or 1) <= found.cache
    if found.fits:
        assert found.concurrency <= found.max_concurrency
        assert (
            found.weights + found.activations + found.graphs + found.outside + found.cache <= total * found.utilisation
        )


def _followed(wish: Wish, device: Device, advised: str) -> tuple[Wish, Device]:
    """What is asked when somebody changes in their command what they were told to."""
    option, _, value = advised.partition(" ")
    match option:
        case "--gpus" | "--context" | "--concurrency":
            fields: dict[str, Any] = {option.removeprefix("--"): int(value)}
            return replace(wish, **fields), device
        case "--dtype":
            return replace(wish, dtype=DType(value)), device
        case "--kv-dtype":
            return replace(wish, kv_dtype=CacheType(value)), device
        case "--gpu":
            return wish, next(card for card in CARDS if card.name == value)
        case "vLLM":
            return replace(wish, version=vllm.parse(value.split()[0])), device
    assert advised == "the usual --gpu-memory-utilization"
    return replace(wish, utilisation=None), device


@given(models, totals, capabilities, wishes, st.none() | st.sampled_from([(0, 6, 2), (0, 8, 5), (0, 9, 1), (0, 10, 2)]))
@settings(max_examples=300, deadline=None)
def test_what_is_advised_fits(
    model: Architecture, total: int, capability: int, wish: Wish, version: vllm.Version | None
) -> None:
    """Each way by itself, as somebody follows it who changes nothing else."""
    wish, device = replace(wish, version=version), Device("card", total, capability)
    found = fit(model, device, wish)
    ways = advice(found, CARDS)
    assert not found.fits or not ways
    for way in ways:
        if way.startswith("a quantised variant"):
            packed = replace(model, quantisation=Quantisation(Method.gptq, 4.25), weights_bytes=None)
            assert fit(packed, device, wish).fits
        else:
            changed, other = _followed(wish, device, way)
            assert fit(model, other, changed).fits, way


def test_too_many_at_once_is_not_blamed_on_the_weights() -> None:
    found = fit(qwen("0.6B"), T4, Wish(concurrency=1_000_000))
    assert found.problems == (
        "choosing words for 1000000 requests at once takes 2830.0 GiB: none is left for the KV cache",
    )
    way, *others = advice(found, CARDS)
    assert (way.split()[0], others) == ("--concurrency", [])
    most = int(way.split()[1])
    assert fit(qwen("0.6B"), T4, Wish(concurrency=most)).fits
    assert not fit(qwen("0.6B"), T4, Wish(concurrency=most + 1)).fits


def test_a_context_that_is_no_chat_does_not_fit_by_itself() -> None:
    model = qwen("0.6B")
    needed = fit(model, A10G)
    rest = needed.weights + needed.activations + needed.graphs + needed.outside
    tight = Device("card", int((rest + 64 * needed.bytes_per_token) / 0.9), 86)
    assert fit(model, tight, Wish(context=48)).fits
    assert fit(model, tight).problems == ("the KV cache has room for 0 requests of 8192 tokens, not 1",)


def test_kv_heads_that_can_not_be_split() -> None:
    phi = config.from_config(KNOWN["phi-4"].config, "phi-4")
    assert fit(phi, A100, Wish(gpus=2)).fits
    assert fit(phi, A100, Wish(gpus=4)).problems == ("10 KV heads can't be split over 4 GPUs",)


def test_a_crashing_version_is_answered_with_one_that_works() -> None:
    found = fit(qwen("0.6B"), T4, Wish(version=(0, 9, 1)))
    assert advice(found, CARDS)[0] == "vLLM 0.8.4 to 0.8.5 or 0.10.2 and newer"


@pytest.mark.parametrize("capability", [61, 70, 75])
def test_below_8_0_it_is_always_float16(capability: int) -> None:
    found = fit(qwen("0.6B"), Device("card", 15 * GIB, capability))
    assert "--dtype=float16" in found.args
    refused = fit(qwen("0.6B"), Device("card", 15 * GIB, capability), Wish(dtype=DType.bfloat16))
    assert any("bfloat16 needs compute capability 8.0" in problem for problem in refused.problems)


def test_gemma_overflows_in_float16() -> None:
    gemma = config.from_config(KNOWN["gemma-3-4b"].config, "gemma")
    assert fit(gemma, T4).dtype is DType.float32
    refused = fit(gemma, A10G, Wish(dtype=DType.float16))
    assert any("overflow in float16" in problem for problem in refused.problems)
    assert fit(gemma, A10G).dtype is DType.bfloat16


def test_t4() -> None:
    """facts/cluster.md §5.2: float16, eager, 0.85; vLLM up to 0.8.5, or from 0.10.2 on."""
    found = fit(qwen("0.6B"), T4)
    assert found.fits
    assert found.args == (
        "--model=Qwen/Qwen3-0.6B",
        "--dtype=float16",
        "--max-model-len=8192",
        f"--max-num-seqs={found.concurrency}",
        "--gpu-memory-utilization=0.85",
        "--enforce-eager",
    )
    assert environment(found) == {}
    assert [str(each) for each in found.works_with] == ["0.8.4 to 0.8.5", "0.10.2 and newer"]


@pytest.mark.parametrize(
    ("version", "works"),
    [("0.6.2", False), ("0.8.3", False), ("0.8.5.post1", True), ("v0.9.0", False), ("0.10.1", False), ("0.10.2", True)],
)
def test_versions_on_a_t4(version: str, works: bool) -> None:
    found = fit(qwen("0.6B"), T4, Wish(version=vllm.parse(version)))
    assert found.fits is works, found.problems


def test_old_versions_do_not_know_qwen3() -> None:
    found = fit(qwen("0.6B"), A10G, Wish(version=(0, 6, 2)))
    assert found.problems == ("vLLM 0.6.2 does not work here: does not know qwen3 models",)


def test_v100() -> None:
    """No official image from 0.9 on holds kernels for it; the one that is left needs the old engine and XFormers."""
    found = fit(qwen("0.6B"), V100)
    assert found.fits
    assert [str(each) for each in found.works_with] == ["0.8.4 to 0.8.5"]
    assert environment(found) == {"VLLM_USE_V1": "0", "VLLM_ATTENTION_BACKEND": "XFORMERS"}
    late = fit(qwen("0.6B"), V100, Wish(version=(0, 10, 2)))
    assert any("no kernel image" in problem for problem in late.problems)


def test_turing_loses_flashinfer() -> None:
    assert "--attention-backend=TRITON_ATTN" in fit(qwen("0.6B"), T4, Wish(version=(0, 24, 0))).args
    assert not any("attention" in arg for arg in fit(qwen("0.6B"), A10G, Wish(version=(0, 24, 0))).args)


def test_pascal_runs_nothing() -> None:
    found = fit(qwen("0.6B"), Device("P100", 16 * GIB, 60))
    assert not found.fits
    assert any("no version of vLLM" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("size", "card", "fits"),
    [
        ("0.6B", T4, True),
        ("1.7B", T4, True),
        ("4B", T4, True),
        ("8B", T4, False),
        ("8B", V100, False),
        ("8B", A10G, True),
        ("14B", A10G, False),
        ("14B", Device("A100-40", int(39.39 * GIB), 80), True),
        ("32B", A100, True),
        ("30B-A3B", A100, True),
        ("235B-A22B", A100, False),
    ],
)
def test_the_table_of_what_fits_where(size: str, card: Device, fits: bool) -> None:
    """facts/cluster.md §4.5, last column."""
    assert fit(qwen(size), card).fits is fits


def test_4b_on_a_t4_has_room_for_8k_to_16k() -> None:
    found = fit(qwen("4B"), T4)
    assert 16_384 <= found.max_context < 40_960
    assert found.max_concurrency >= 1


def test_235b_needs_eight_large_cards() -> None:
    assert not fit(qwen("235B-A22B"), A100, Wish(gpus=4)).fits
    assert fit(qwen("235B-A22B"), A100, Wish(gpus=8)).fits


def test_the_estimated_length_that_vllm_logged() -> None:
    """ "available KV cache memory (1.0 GiB) … the estimated maximum model length is 9344", facts/cluster.md §4.4."""
    model = qwen("0.6B")
    needed = fit(model, A10G, Wish(concurrency=1))
    rest = needed.weights + needed.activations + needed.graphs + needed.outside
    tight = fit(model, Device("card", int((rest + GIB + 1) / 0.9), 86), Wish(concurrency=1, context=40_960))
    assert tight.max_context == pytest.approx(9344, rel=0.01)
    assert not tight.fits
    assert f"--context {tight.max_context}" in advice(tight, CARDS)


def test_fp8_cache() -> None:
    assert not fit(qwen("0.6B"), T4, Wish(kv_dtype=CacheType.fp8)).fits
    half, whole = fit(qwen("8B"), L4, Wish(kv_dtype=CacheType.fp8)), fit(qwen("8B"), L4)
    assert half.bytes_per_token * 2 == whole.bytes_per_token
    assert "--kv-cache-dtype=fp8" in half.args


def test_quantised_weights_by_capability() -> None:
    awq = qwen3.find("qwen3-8b-awq")
    assert awq is not None
    assert fit(awq, T4).fits and not fit(awq, V100).fits
    fp8 = qwen3.find("qwen3-8b-fp8")
    assert fp8 is not None
    assert not fit(fp8, T4).fits and fit(fp8, A10G).fits


def test_heads_that_can_not_be_split() -> None:
    falcon = config.from_config(KNOWN["falcon-7b"].config, "falcon")
    assert any("71 attention heads" in problem for problem in fit(falcon, A100, Wish(gpus=2)).problems)


def test_absurd_versions() -> None:
    with pytest.raises(ValueError, match="no version of vLLM"):
        vllm.parse("latest")


def test_advice_is_judged_as_the_command_that_it_makes() -> None:
    """Without --context two GPUs give each request a longer one, and then they do not hold two; four do."""
    model, wish = qwen("0.6B"), Wish(concurrency=2)
    needed = fit(model, A10G, wish)
    rest = needed.weights + needed.activations + needed.graphs + needed.outside
    tight = Device("card", int((rest + 1600 * needed.bytes_per_token + 1000) / 0.9), 86)
    found = fit(model, tight, wish)
    assert (found.fits, found.context) == (False, 1600)
    assert fit(model, tight, replace(wish, gpus=2, context=1600)).fits
    assert not fit(model, tight, replace(wish, gpus=2)).fits
    assert "--gpus 4" in advice(found, ()) and fit(model, tight, replace(wish, gpus=4)).fits
