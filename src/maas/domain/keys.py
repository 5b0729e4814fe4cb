"""API keys: 256 random bits behind a visible prefix, shown once, kept as a hash.

A generated key has so much entropy that a plain SHA-256 could not be reversed; an imported one may be a word
that somebody thought of. The hash is therefore keyed with a secret of the installation: who steals the
database alone can't try words against it. A slow password hash was rejected: it would cost tens of
milliseconds on every request.
"""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass

PREFIX = "sk-maas-"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 43  # 62**43 > 2**256
_STRONG_BITS = 128


@dataclass(frozen=True, slots=True)
class Key:
    """Everything about a key but its value. Times are seconds since the epoch.

    models: the names it may call; None allows every model of its tier.
    """

    id: str
    hash: bytes
    prefix: str
    user: str
    tier: str
    name: str
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None
    models: frozenset[str] | None = None
    description: str = ""

    def status(self, now: float) -> str:
        """One of "active", "expired" or "revoked" (which wins over expired, and over a clock that was set back)."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def value_from(entropy: bytes) -> str:
    """The key made of 32 random bytes."""
    if len(entropy) != 32:
        raise ValueError("a key is made of 32 random bytes")
    number, digits = int.from_bytes(entropy, "big"), []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return PREFIX + "".join(reversed(digits))


def hash_of(value: str, pepper: bytes) -> bytes:
    """32 bytes; the same value gives the same hash only within one installation."""
    return hashlib.blake2b(value.encode("utf-8", "surrogateescape"), digest_size=32, key=pepper).digest()


def shown_prefix(value: str) -> str:
    """As much of a key as lists and logs may show: never more than a quarter of it."""
    return value[: min(12, len(value) // 4)] + "..."


def weakness(value: str) -> str | None:
    """Why an imported value is easy to guess, or None. Entropy is bounded by the letters that occur in it."""
    counts = Counter(value)
    bits = -sum(n * math.log2(n / len(value)) for n in counts.values()) if value else 0.0
    if bits >= _STRONG_BITS:
        return None
    return f"has at most {bits:.0f} bits of entropy; a safe key has {_STRONG_BITS} or more"
