"""How long each part runs: enough for figures that can be believed, or just enough to see that everything works."""

from dataclasses import dataclass

PARTS = ("throughput", "latency", "rate", "streams", "start", "help", "memory")


@dataclass(frozen=True)
class Effort:
    """Seconds and counts. streams run for `stream_tokens` / 20 s each, over and over, for `stream_seconds`."""

    warm_up: float
    load: float
    repeats: int
    streams: int
    stream_tokens: int
    stream_seconds: float
    starts: int
    helps: int


FULL = Effort(warm_up=3, load=10, repeats=5, streams=500, stream_tokens=160, stream_seconds=16, starts=5, helps=20)
QUICK = Effort(warm_up=0.5, load=1, repeats=1, streams=50, stream_tokens=20, stream_seconds=2, starts=1, helps=3)
