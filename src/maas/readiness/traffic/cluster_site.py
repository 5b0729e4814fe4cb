"""A platform on a cluster: its keys are Secrets that Authorino watches, its limits are in Kuadrant's policies.

A Secret does not expire. So each says on itself which run made it and until when; what a killed run left, the next
one removes, and MAAS-335 reports.
"""

import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.failures import Denied, Missing
from maas.cluster.objects import Object, annotation, items, label, mapping, name, namespace, selects, text, texts
from maas.cluster.stack import ours, rules
from maas.domain.errors import MaasError, Unavailable
from maas.readiness.catalogue import Asked
from maas.readiness.checks.keys import EXPIRES, MANAGED_BY, TEMPORARY
from maas.readiness.traffic import runs
from maas.readiness.traffic.addresses import endpoints
from maas.readiness.traffic.site import KEY_LIFE, PREFIX, Endpoint, Key, Limit, Tier, Unit

RUN = "maas-run"  # annotation: runs.mark()
_UNITS = {kinds.RATE_LIMIT_POLICY: Unit.requests, kinds.TOKEN_RATE_LIMIT_POLICY: Unit.tokens}


class ClusterSite:
    revokes_within = 5.0  # seconds; Authorino watches Secrets

    def __init__(self, api: Api, facts: Facts, asked: Asked, url: str = "", trust: Path | None = None) -> None:
        """trust: the file of the platform's own CA, where it has one."""
        self.described = facts.source.described
        self._api, self._facts, self._asked, self._url, self._trust = api, facts, asked, url, trust
        self._run = secrets.token_hex(4)
        self._made: dict[str, str] = {}  # names and namespaces, from before they are asked for

    async def endpoints(self) -> Sequence[Endpoint]:
        try:
            found = await endpoints(self._facts, self._asked.namespace, self._url)
        except NotRead as missing:
            raise Unavailable(f"where the gateway is was not read: {missing}") from None
        return [replace(each, trust=self._trust) for each in found]

    async def tiers(self) -> Sequence[Tier]:
        try:
            policies = [(unit, policy) for kind, unit in _UNITS.items() for policy in self._aimed(kind)]
            limits = [(unit, limit) for unit, policy in policies for limit in rules.limits(policy)]
            return list(_tiers(self._aimed(kinds.AUTH_POLICY), limits))
        except NotRead as missing:
            raise Unavailable(f"the policies were not read: {missing}") from None

    async def make_key(self, tier: str, purpose: str) -> Key:
        user = f"{PREFIX}{self._run}-{purpose}"
        value = f"maas-{secrets.token_urlsafe(32)}"
        called = re.sub(r"[^a-z0-9-]", "-", f"{user}-{tier}".lower())[:60].strip("-")
        where = self._where()
        await self._delete(called, where, dry_run=True)  # who may not delete it must not make it
        self._made[called] = where
        change = Change(Verb.apply, kinds.SECRET, called, where, self._secret(called, where, tier, user, value))
        try:
            await self._api.carry_out(change, dry_run=False, now=time.time())
        except Denied:
            del self._made[called]
            raise
        return Key(called, tier, user, value)

    async def withdraw(self, key: Key) -> None:
        await self._delete(key.id, self._made[key.id])

    async def withdraw_all(self) -> Sequence[str]:
        return [left for called, where in self._made.items() if (left := await self._withdrawn(called, where))]

    async def remove_leftovers(self) -> Sequence[str]:
        """Of those that may be listed."""
        try:
            found = await self._api.list(replace(kinds.SECRET, labels=TEMPORARY), "v1")
        except Denied:
            return ()
        left = [secret for secret in found if runs.is_over(annotation(secret, RUN))]
        for secret in left:
            await self._delete(name(secret), namespace(secret))
        return [f"Secret {namespace(secret)}/{name(secret)}" for secret in left]

    async def used_tokens(self, key: Key) -> int | None:
        return None

    def credentials(self, value: str) -> Mapping[str, str]:
        way = self._way()
        headers = way.headers(value) if way else {"Authorization": f"Bearer {value}"}
        if headers is None:
            raise Unavailable("the AuthPolicy takes keys from the query string, where logs keep them: not tried")
        return headers

    def _aimed(self, kind: kinds.Kind) -> list[Object]:
        gateways = ours.gateways(self._facts, self._asked.namespace)
        routes = ours.routes(self._facts, gateways)
        return [policy for policy in self._facts.all(kind) if ours.aimed_at(policy, gateways, routes)]

    def _way(self) -> rules.Scheme | None:
        policies = self._facts.known(kinds.AUTH_POLICY) and self._aimed(kinds.AUTH_POLICY)
        return next((way for policy in policies for way in rules.schemes(policy) if way.is_api_key), None)

    def _where(self) -> str:
        """Beside the keys that the policy finds already, or where Authorino looks in any case."""
        way = self._way()
        found = [s for s in self._facts.known(kinds.SECRET) if way and selects(way.selector, _labels(s))]
        kuadrant = [namespace(each) for each in self._facts.known(kinds.KUADRANT)]
        return next((namespace(s) for s in found if label(s, MANAGED_BY)), None) or next(iter(kuadrant), ours.KUADRANT)

    def _secret(self, called: str, where: str, tier: str, user: str, value: str) -> dict[str, Any]:
        policies = self._facts.known(kinds.AUTH_POLICY) and self._aimed(kinds.AUTH_POLICY)
        until = datetime.fromtimestamp(time.time() + KEY_LIFE, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        tiers = {rules.tier_annotation(policies[0]) if policies else rules.GROUPS: tier} if tier else {}
        annotations = {**tiers, rules.USER_ID: user, EXPIRES: until, RUN: runs.mark()}
        way = self._way()
        chosen = _chosen_by(way.selector) if way else {"app": "maas"}
        labels = {MANAGED_BY: "authorino", **chosen, TEMPORARY: self._run}
        metadata = {"name": called, "namespace": where, "labels": labels, "annotations": annotations}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "Opaque",
            "stringData": {"api_key": value},
        }

    async def _withdrawn(self, called: str, where: str) -> str:
        """What is still there, and why; one that cannot be removed must not keep the others."""
        try:
            await self._delete(called, where)
            return f"Secret {where}/{called}" if await self._exists(called, where) else ""
        except MaasError as error:
            return f"Secret {where}/{called} ({error})"

    async def _delete(self, called: str, where: str, *, dry_run: bool = False) -> None:
        change = Change(Verb.delete, kinds.SECRET, called, where)
        try:
            await self._api.carry_out(change, dry_run=dry_run, now=time.time())
        except Missing:
            return

    async def _exists(self, called: str, where: str) -> bool:
        try:
            found = await self._api.get(path_of(kinds.SECRET, "v1", where, called))
        except Missing:
            return False
        return not text(found, "metadata", "deletionTimestamp")


def _labels(object: Object) -> Mapping[str, Any]:
    return mapping(object, "metadata", "labels")


def _chosen_by(selector: Mapping[str, Any]) -> dict[str, str]:
    """Labels that the selector finds."""
    found = {str(key): str(value) for key, value in mapping(selector, "matchLabels").items()}
    for each in items(selector, "matchExpressions"):
        if text(each, "operator") in ("In", "Exists"):
            found.setdefault(text(each, "key"), next(iter(texts(each, "values")), "true"))
    return found


def _tiers(auth: Sequence[Object], limits: Sequence[tuple[Unit, rules.Limit]]) -> Iterator[Tier]:
    """Those that are let in; if anybody is, those that are limited; if nobody is, the tier without a name."""
    admitted = frozenset[str]().union(*map(rules.admitted_tiers, auth))
    named = frozenset[str]().union(*(limit.tiers for _, limit in limits))
    for tier in sorted(admitted or named or {""}):
        mine = [(unit, limit) for unit, limit in limits if tier in limit.tiers or limit.is_catch_all]
        yield Tier(tier, tuple(each for unit, limit in mine for each in _limits(unit, limit)))


def _limits(unit: Unit, limit: rules.Limit) -> Iterator[Limit]:
    shared = not any("identity" in counter for counter in limit.counters)
    for rate in limit.rates:
        if rate.limit is not None and rate.seconds > 0:
            yield Limit(unit, rate.limit, rate.seconds, shared)
