"""When a process that died is started again.

At once the first time: most deaths are one-off, and a gateway that is back in 50 ms beats one that waited.
Then 0.2 s, 0.4 s ... 30 s, so that a crash loop costs nothing and its log stays readable.
A life of 60 s forgives what was before. It counts from when the process was ready: a model that loads for minutes and
then dies has never lived.
"""

from dataclasses import dataclass

FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
FORGIVEN_AFTER = 60.0
HOPELESS_DEATHS = (
    5  # about 1.4 s of waiting: long enough for a port to be let go, short enough for who waits in `maas up`
)


@dataclass(frozen=True, slots=True)
class Backoff:
    """deaths: those in a row, each after a ready life shorter than FORGIVEN_AFTER."""

    deaths: int = 0

    def died(self, lived: float) -> "Backoff":
        """After one more death, `lived` seconds after it had become ready; 0 if it never was."""
        return Backoff(1 if lived >= FORGIVEN_AFTER else self.deaths + 1)

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start."""
        if self.deaths < 2:
            return 0.0
        doublings = min(self.deaths - 2, 20)  # a float's exponent has its limits, and so has patience
        return min(FIRST_DELAY * 2.0**doublings, LONGEST_DELAY)

    @property
    def hopeless(self) -> bool:
        """It is still tried, but who waits for it should be told."""
        return self.deaths >= HOPELESS_DEATHS
