"""The README's cluster chapter, told to a real API server: install, first call, again, mend, uninstall."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from maas.cluster.resources import key_secrets
from tests.kubernetes.install_command.stage import Stage, bare, with_storage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with bare(tmp_path_factory.mktemp("stage")) as found:
        yield found


@pytest.fixture(scope="module")
def namespaces(stage: Stage) -> set[str]:
    return _namespaces(stage)


@pytest.fixture(scope="module")
def installed(stage: Stage, namespaces: set[str]) -> Iterator[subprocess.CompletedProcess[str]]:
    with_storage(stage)
    with stage.door():
        done = stage.install("--simulator", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    yield done


def test_a_cluster_that_is_not_ready_is_left_as_it_is(stage: Stage, namespaces: set[str]) -> None:
    asked = stage.install("--simulator", "--yes")
    assert (asked.returncode, asked.stdout) == (3, "")
    assert "× MAAS-141 exactly one StorageClass is the default" in asked.stderr
    assert asked.stderr.endswith(
        "error: this cluster is not ready (MAAS-141), so nothing was changed.\n"
        "Mend that first; `maas preflight` says it at length.\n"
        "To insist all the same: `--ignore MAAS-141`\n"
    )
    assert _namespaces(stage) == namespaces


def test_nobody_to_ask_is_no_consent_whoever_insists_on_the_rest(stage: Stage, namespaces: set[str]) -> None:
    asked = stage.install("--simulator", "--ignore", "MAAS-141")
    assert asked.returncode == 2
    assert "error: nobody is here to be asked" in asked.stderr and "--yes" in asked.stderr
    assert re.search(r"^To install MaaS on context test \(https://[^)]*\):\s1\d steps$", asked.stdout, re.M)
    assert max(map(len, asked.stdout.splitlines())) <= 80
    assert "\x1b" not in asked.stdout
    assert _namespaces(stage) == namespaces
    assert not (stage.folder / "home" / "cluster.json").exists()


def test_the_server_tries_everything_and_nothing_changes(stage: Stage, namespaces: set[str]) -> None:
    asked = stage.install("--simulator", "--ignore", "MAAS-141", "--dry-run", "-o", "json")
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert told["outcome"] == "dry run"
    assert {each["outcome"] for each in told["tried"]} == {"accepted", "later"}
    assert [step["number"] for step in told["steps"]] == list(range(1, len(told["steps"]) + 1))
    assert {"what", "why"} & set(told["steps"][0]) and told["steps"][0]["undo"]
    assert "<function" not in asked.stdout and "frozenset" not in asked.stdout  # nothing of Python's
    assert _namespaces(stage) == namespaces


def test_a_model_that_needs_a_gpu_is_refused_where_there_is_none(stage: Stage, namespaces: set[str]) -> None:
    asked = stage.install("--qwen3", "--check-gpu", "--yes", "--ignore", "MAAS-1")
    assert (asked.returncode, asked.stdout) == (3, "")
    assert asked.stderr.startswith("error: no GPU of this cluster can carry what is asked for; nothing was changed\n")
    assert "Qwen/Qwen3-0.6B: no node has a GPU that pods can ask for" in asked.stderr
    assert "--simulator" in asked.stderr
    assert _namespaces(stage) == namespaces


def test_a_step_that_fails_says_what_it_found_and_what_to_do(stage: Stage, namespaces: set[str]) -> None:
    """The next installation goes on from here: half-way is no obstacle."""
    with_storage(stage)
    asked = stage.install("--simulator", "--yes", "--timeout", "1s")
    assert asked.returncode == 7, asked.stderr
    told = asked.stderr[asked.stderr.index("\nerror: Step ") :]
    assert re.match(r"\nerror: Step [\w -]+ failed: ", told)
    assert "  Wanted  " in told and "  Found   " in told and "\nWhat to do\n" in told
    assert "run the same command again" in told and "`maas uninstall` takes" in told
    assert "Traceback" not in told
    assert _namespaces(stage) > namespaces


def test_it_is_installed_and_requests_went_through(installed: subprocess.CompletedProcess[str]) -> None:
    assert "and requests have gone through it." in installed.stdout
    assert re.search(r"^\d\d:\d\d:\d\d step 1 of \d+: ", installed.stderr, re.M)
    assert re.search(r"^\d\d:\d\d:\d\d done in \d+s: Gateway llm/maas-gateway$", installed.stderr, re.M)
    welcome = installed.stdout[installed.stdout.index("MaaS is installed") :]
    too_long = [line for line in welcome.splitlines() if len(line) > 80 and "/home/tls/" not in line]
    assert too_long == []
    assert "kubectl port-forward -n llm svc/maas-gateway-istio 8443:443" in welcome
    assert len(set(re.findall(r"sk-maas-\w{43}", welcome))) == 1


def test_the_curl_line_works_as_printed(stage: Stage, installed: subprocess.CompletedProcess[str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    welcome = installed.stdout
    printed = welcome[welcome.index("Try it with curl:") :].split("\n\n")[1]
    with stage.door() as door:
        command = printed.replace(":8443", f":{door.port}").strip()
        ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert '"chat.completion"' in ran.stdout, ran.stderr


def test_again_there_is_nothing_to_do_and_nothing_is_written(
    stage: Stage, installed: subprocess.CompletedProcess[str]
) -> None:
    before = _versions(stage)
    again = stage.install("--simulator", "--yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("Nothing to do: context test (https://")
    assert "sk-maas-" not in again.stdout
    way_in = again.stdout.split("\n\n")[1].splitlines()
    assert way_in[0] == "Endpoint   https://maas.maas.local/simulator/v1"
    assert way_in[1].startswith("Address    127.31.0.9, ")
    assert way_in[-1] == "API key    `maas keys create --user NAME` makes one"
    told = json.loads(stage.install("-o", "json").stdout)
    assert (told["outcome"], told["steps"], told["has_key"]) == ("nothing to do", [], True)
    assert _versions(stage) == before
    upgraded = stage.maas("upgrade", "--mirror", str(stage.mirror))
    assert (upgraded.returncode, upgraded.stdout[:14]) == (0, "Nothing to do:")


def test_who_was_interrupted_before_the_first_key_is_told_that_there_is_none(
    stage: Stage, installed: subprocess.CompletedProcess[str]
) -> None:
    with stage.cluster.client() as http:
        http.delete("/api/v1/namespaces/kuadrant-system/secrets", params={"labelSelector": key_secrets.LIVE})
    before = _versions(stage)
    again = stage.install("--simulator")
    assert (again.returncode, again.stdout[:14]) == (0, "Nothing to do:")
    assert "API key    there is none yet; `maas keys create --user NAME` makes one\n" in again.stdout
    assert _versions(stage) == before


def test_the_commands_know_the_cluster_from_now_on(stage: Stage, installed: subprocess.CompletedProcess[str]) -> None:
    remembered = json.loads((stage.folder / "home" / "cluster.json").read_text())
    assert remembered == {"context": "test", "kubeconfig": None, "namespace": "llm", "target": "kubernetes"}
    made = stage.maas("keys", "create", "--user", "alice", KUBECONFIG=str(stage.folder / "kubeconfig"))
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"sk-maas-\w{43}\n", made.stdout)


def test_validate_opens_its_own_way_in_and_believes_the_platforms_ca(
    stage: Stage, installed: subprocess.CompletedProcess[str]
) -> None:
    named = ("validate", "--target", "kubernetes", "--only", "MAAS-500,MAAS-501,MAAS-504", "-o", "short")
    with stage.door() as door:
        asked = stage.maas(*named)
        given = stage.maas(*named, "--url", f"https://127.0.0.1:{door.port}")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert asked.stderr == (
        "The gateway has no address that can be reached from here:\n"
        f"opened a port-forward to it, https://127.0.0.1:{door.port}\nClosed the port-forward.\n"
    )
    assert "MAAS-501" not in asked.stdout  # in short, what is well is not told
    assert (given.returncode, given.stderr) == (0, "") and "MAAS-501" not in given.stdout


def test_validate_says_where_it_finds_no_way_in(stage: Stage, installed: subprocess.CompletedProcess[str]) -> None:
    path = str(stage.folder / "bin")  # no kubectl in it
    asked = stage.maas("validate", "--target", "kubernetes", "--only", "MAAS-500", "-o", "short", PATH=path)
    assert asked.returncode == 3
    assert "there is no kubectl.\n--url names an address" in asked.stderr and "MAAS-500" in asked.stdout


def test_a_change_shows_what_it_changes(stage: Stage, installed: subprocess.CompletedProcess[str]) -> None:
    text = _platform(stage).replace("requests: 5,", "requests: 6,")
    file = stage.folder / "maas.yaml"
    file.write_text(text)
    asked = stage.install("-f", str(file), "--diff", "--dry-run")
    assert asked.returncode == 0, asked.stderr
    assert "RateLimitPolicy llm/maas-requests: changes" in asked.stdout
    assert re.search(r"^-\s+- limit: 5\n\+\s+- limit: 6$", asked.stdout, re.M)
    assert "Nothing was changed (--dry-run)." in asked.stdout
    assert "6" not in re.findall(r"requests: (\d)", _platform(stage))


def test_what_does_not_answer_ends_with_what_is_wrong(
    stage: Stage, installed: subprocess.CompletedProcess[str]
) -> None:
    with stage.door("broken"):
        file = stage.folder / "maas.yaml"
        file.write_text(_platform(stage) + "# changed\n")
        asked = stage.install("-f", str(file), "--yes")
    assert asked.returncode == 3, asked.stdout
    assert "MAAS-505" in asked.stderr
    assert "error: everything is installed, but it does not work yet: `maas doctor` says why" in asked.stderr


def test_it_goes_away_without_a_trace(
    stage: Stage, namespaces: set[str], installed: subprocess.CompletedProcess[str]
) -> None:
    asked = stage.maas("uninstall")
    assert asked.returncode == 2
    assert "To take MaaS away from context test" in asked.stdout
    assert _namespaces(stage) > namespaces
    gone = stage.maas("uninstall", "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert gone.stdout.rstrip().splitlines()[-1].startswith("MaaS is gone from context test (https://")
    assert _namespaces(stage) == namespaces
    assert [each for each in (stage.folder / "home").rglob("*") if each.is_file()] == []
    again = stage.maas("uninstall")
    assert (again.returncode, again.stdout[:14]) == (0, "Nothing to do:")


def _namespaces(stage: Stage) -> set[str]:
    with stage.cluster.client() as http:
        return {each["metadata"]["name"] for each in http.get("/api/v1/namespaces").json()["items"]}


def _platform(stage: Stage) -> str:
    with stage.cluster.client() as http:
        found: str = http.get("/api/v1/namespaces/llm/configmaps/maas-platform").json()["data"]["maas.yaml"]
        return found


def _versions(stage: Stage) -> dict[str, str]:
    paths = ("api/v1/configmaps", "api/v1/secrets", "api/v1/services", "api/v1/namespaces", "apis/apps/v1/deployments")
    kuadrant = ("apis/kuadrant.io/v1/authpolicies", "apis/gateway.networking.k8s.io/v1/gateways")
    with stage.cluster.client() as http:
        found = [each for path in (*paths, *kuadrant) for each in http.get(f"/{path}").json()["items"]]
    return {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in found}
