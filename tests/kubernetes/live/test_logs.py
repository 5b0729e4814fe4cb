"""Logs of a scenario are read through the real API server, those of the run before the last restart as well."""

from dataclasses import replace

from maas.cluster.facts.model import Log
from maas.cluster.objects import name
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.living import live


def test_logs_of_this_run_and_of_the_one_before() -> None:
    scenario = typical.kind()
    pod = next(name(each) for each in scenario.objects if each["kind"] == "Pod")
    logs = (
        Log("kube-system", pod, "coredns", ("one", "two", "three")),
        Log("kube-system", pod, "coredns", ("panic",), previous=True),
    )
    with live(replace(scenario, logs=logs)) as cluster, cluster.client() as client:
        place = f"/api/v1/namespaces/kube-system/pods/{pod}/log"
        assert client.get(place, params={"tailLines": 2}).text == "two\nthree\n"
        assert client.get(place, params={"previous": True}).text == "panic\n"
