"""A live cluster read as somebody, and what is said of it."""

import asyncio
from pathlib import Path

from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked
from maas.readiness.judging import judge

_OF_THE_READING = "MAAS-9"  # checks of how the facts were read: a snapshot's files


def read(kubeconfig: Path, *, deadline: float = 60) -> Facts:
    async def all_of_it() -> Facts:
        async with connect(kubeconfig=kubeconfig) as api:
            return await live.read(api, deadline=deadline, watch=None, logs=True)

    return asyncio.run(all_of_it())


def said(facts: Facts, asked: Asked) -> list[tuple[str, str, str, str]]:
    """Code, status, what it is about, message."""
    found = judge(facts, asked, skip=[_OF_THE_READING])
    return [(each.code, each.status, each.about, each.message) for each in found]
