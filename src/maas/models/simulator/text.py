"""Sentences of everyday words, token by token, and how many tokens an answer has.

Every word is one token (see tokens.py: at most eight characters), so counts are exact by construction.
"""

from random import Random

_WORDS = """
the and that with from this have will when there which their would about other into time more some than
then look only come over think also back after work first well even want because any these give day most
river stone light garden window morning evening letter paper number answer reason moment person system
model water summer winter market village mountain harbour bridge signal engine pattern picture question
station history science teacher student machine network program problem process product project purpose
quality quiet open small large early simple clear bright calm slow quick careful strong gentle modern
carries follows returns becomes remains appears begins changes contains improves measures moves needs
"""
WORDS = tuple(_WORDS.split())
# Made once, so that a thousand long answers share their tokens.
_FOLLOWING = tuple(f" {word}" for word in WORDS)
_BEGINNING = tuple(f" {word.capitalize()}" for word in WORDS)

# How long an answer is when the client gives max_tokens: the share of answers in each sixth of the range,
# as llm-d-inference-sim draws it. The rest, an answer of exactly max_tokens, ends with `length`.
_SHARES = (0.2, 0.3, 0.2, 0.05, 0.1, 0.15)
_MEAN, _DEVIATION, _MOST = 20, 8, 40  # half of llm-d's: five answers then fit 200 tokens, a free user's minute


def length(random: Random, limit: int, asked: bool) -> int:
    """1 to `limit` tokens: histogram up to the limit if the client asked for one, else Gaussian(20, 8), at most 40."""
    if not asked:
        return min(limit, _MOST, max(1, round(random.gauss(_MEAN, _DEVIATION))))
    sixth = random.choices(range(len(_SHARES)), _SHARES)[0]
    return max(1, min(limit, round(limit * (sixth + random.random()) / len(_SHARES))))


def sentences(random: Random, size: int) -> list[str]:
    """`size` tokens: words, with a full stop after every five to twelve of them."""
    pieces: list[str] = []
    while len(pieces) < size:
        pieces.append(random.choice(_BEGINNING))
        pieces += random.choices(_FOLLOWING, k=random.randint(4, 11))
        pieces.append(".")
    pieces[0] = pieces[0].lstrip()
    return pieces[:size]
