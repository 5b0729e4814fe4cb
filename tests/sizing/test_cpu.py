"""What fits on CPUs, and what is advised where it does not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from maas.models.sizing import config, cpu, qwen3
from maas.models.sizing.architecture import Architecture
from maas.models.sizing.fit import GIB
from tests.sizing.configs import KNOWN


def _qwen(size: str) -> Architecture:
    model = qwen3.find(f"qwen3-{size}")
    assert model is not None
    return model


models = st.sampled_from([_qwen("0.6b"), _qwen("8b"), config.from_config(KNOWN["gemma-3-4b"].config, "gemma")])


@given(
    models,
    st.integers(GIB, 64 * GIB),
    st.none() | st.integers(1, 300_000),
    st.integers(1, 100),
    st.sampled_from(list(cpu.QUANTISATIONS)),
)
@settings(max_examples=150, deadline=None)
def test_what_is_advised_fits(
    model: Architecture, memory: int, context: int | None, slots: int, quantisation: str
) -> None:
    found = cpu.fit(model, cores=2, memory=memory, context=context, slots=slots, quantisation=quantisation)
    assert found.fits is (found.replicas > 0 and found.context <= model.max_context)
    assert not (found.fits and found.advice)
    for way in found.advice:
        option, value = way.split()
        again = cpu.fit(
            model,
            cores=2,
            memory=memory,
            context=int(value) if option == "--context" else context,
            slots=int(value) if option == "--concurrency" else slots,
            quantisation=value if option == "--quantisation" else quantisation,
        )
        assert again.fits, way


def test_each_way_that_helps_is_told() -> None:
    found = cpu.fit(_qwen("8b"), cores=2, memory=20 * GIB, context=8192, slots=8)
    assert found.advice == ("--context 6736", "--concurrency 6", "--quantisation Q6_K")
    large = cpu.fit(_qwen("8b"), cores=2, memory=10 * GIB, context=4096, slots=1)
    assert large.advice == ("--quantisation Q6_K",)
