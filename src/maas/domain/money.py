"""Money as integers, so that a thousand small costs add up to what the invoice says.

A price is per million tokens, as every provider quotes it. A token of a model at 0.15 per million costs
1.5e-7, so costs are counted in units of 1e-12 ("pico"): exact for prices with six decimals, and a 64-bit
column still holds nine million.
"""

from dataclasses import dataclass
from decimal import Decimal

PICO = 10**12
MOST = 2**63 - 1  # what a column holds; nine million of any currency for one request is a mistake anyway


def pico(amount: Decimal | int | str) -> int:
    """An amount of money in 1e-12 of the currency. Raises ValueError when it is finer than that."""
    scaled = Decimal(amount) * PICO
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more than 12 decimals")
    return int(scaled)


def amount(picos: int) -> Decimal:
    return Decimal(picos) / PICO


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in pico per token (which equals 1e-6 of the currency per million tokens)."""

    input: int = 0
    output: int = 0

    @classmethod
    def per_million(cls, input: Decimal | str, output: Decimal | str) -> "Price":
        return cls(pico(Decimal(input) / 10**6), pico(Decimal(output) / 10**6))

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        return min(MOST, self.input * prompt_tokens + self.output * completion_tokens)
