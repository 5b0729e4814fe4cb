"""install.sh up to where it hands over: run in a copy, with programs of our own first on the PATH."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NO_NETWORK = "error: Failed to fetch: dns error: failed to lookup address information"


class Front:
    """A copy of the front door. `bin` is all that is on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        (folder / "requirements").mkdir()
        shutil.copy(REPOSITORY / "install.sh", folder)
        shutil.copy(REPOSITORY / "pyproject.toml", folder)
        for lock in ("base", "postgresql"):
            shutil.copy(REPOSITORY / "requirements" / f"{lock}.txt", folder / "requirements")
        for program in ("sh", "cat", "cut", "dirname", "awk", "grep", "tail", "rm", "df", "sha256sum", "sleep"):
            (self.bin / program).symlink_to(shutil.which(program) or "/nowhere")

    def program(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def python(self, name: str = "python3") -> None:
        """The one of the tests, which makes an environment that has no packages."""
        (self.bin / name).unlink(missing_ok=True)
        self.program(name, f'exec {sys.executable} "$@"')

    def uv(self, on_install: str) -> None:
        """A uv that makes a .venv whose `maas` says how it was called."""
        self.program("mkdir", 'exec /bin/mkdir "$@"')
        self.program("chmod", 'exec /bin/chmod "$@"')
        make = "mkdir -p .venv/bin; printf '#!/bin/sh\\nexit 0\\n' >.venv/bin/python"
        maas = "printf '#!/bin/sh\\necho maas \"$@\"\\n' >.venv/bin/maas; chmod +x .venv/bin/*"
        self.program("uv", f"echo uv >>calls\ncase $1 in venv) {make}; {maas};; pip) {on_install};; esac")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(self.folder / "install.sh"), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.folder), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_needs_nothing(front: Front, flag: str) -> None:
    asked = front.run(flag)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "--simulator" in asked.stdout
    assert max(map(len, asked.stdout.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [("--simulater",), ("--simulator", "now"), ("--target",), ("--target", "moon")])
def test_wrong_usage_is_told_before_anything_is_set_up(front: Front, arguments: tuple[str, ...]) -> None:
    asked = front.run(*arguments)
    assert asked.returncode == 2
    assert asked.stderr.startswith("error: ")
    assert "Usage: ./install.sh" in asked.stderr
    assert not (front.folder / ".venv").exists()


ON_A_CLUSTER = (
    ("--simulator", "--target", "openshift"),
    ("--qwen3", "--check-gpu", "--context", "prod", "--kubeconfig=/tmp/config", "-n", "models", "--domain=example.com"),
    ("--install-all-models", "--ocp", "--token-rate-limit", "--skip-metrics", "--gpu-operator", "--yes"),
    ("--model", "qwen3-8b", "--model=ORG/NAME", "-f", "maas.yaml", "--no-ocp", "--dry-run", "--diff", "-o", "json"),
    ("--render", "out", "--gpu", "t4", "--target=kubernetes", "--mirror=m", "--ignore", "MAAS-101", "--timeout=20m"),
)


@pytest.mark.parametrize("arguments", ON_A_CLUSTER)
def test_what_clusters_need_is_handed_on_as_it_is(front: Front, arguments: tuple[str, ...]) -> None:
    front.python()
    front.uv("exit 0")
    asked = front.run(*arguments, KUBECONFIG="/etc/cluster")
    assert (asked.returncode, asked.stdout) == (0, f"maas install {' '.join(arguments)}\n")


def test_paths_mean_what_they_mean_where_it_is_called(front: Front, tmp_path: Path) -> None:
    front.python()
    front.uv("exit 0")
    front.run("--simulator")
    (front.folder / ".venv" / "bin" / "maas").write_text("#!/bin/sh\npwd\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = subprocess.run(
        ["/bin/sh", str(front.folder / "install.sh"), "-f", "maas.yaml"],
        cwd=elsewhere,
        env={"PATH": str(front.bin), "HOME": str(front.folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout == f"{elsewhere}\n"


def test_making_a_cluster_is_refused_with_what_to_do(front: Front) -> None:
    asked = front.run("--deploy-kind")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "kind create cluster --name llm-maas\n  ./install.sh --simulator --context kind-llm-maas" in asked.stderr
    assert not (front.folder / ".venv").exists()


def test_no_python(front: Front) -> None:
    asked = front.run("--simulator")
    assert asked.returncode == 10
    assert asked.stderr.startswith("error: Python 3.11 or newer is needed, and there is none;")


def test_a_python_that_is_too_old(front: Front) -> None:
    front.program("python3", 'case $1 in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    asked = front.run("--simulator")
    assert asked.returncode == 10
    assert asked.stderr.startswith(
        "error: Python 3.11 or newer is needed, but here is only python3 (Python 3.9.2); install"
    )


def test_debian_without_its_venv_package(front: Front) -> None:
    front.program(
        "python3",
        'case "$*" in *venv*) echo "ensurepip is not available"; exit 1;; --version) echo "Python 3.11.2";; esac',
    )
    asked = front.run("--simulator")
    assert asked.returncode == 12
    assert "apt install python3-venv" in asked.stderr
    assert not (front.folder / ".venv").exists()


def test_a_full_disk_is_seen_before(front: Front) -> None:
    front.python()
    (front.bin / "df").unlink()
    front.program("df", "echo Filesystem; echo /dev/x 1 1 50000 1% /")
    asked = front.run("--simulator")
    assert asked.returncode == 9
    assert "50 MB are free, about 400 MB are needed" in asked.stderr


@pytest.mark.parametrize(
    ("said", "code"), [(NO_NETWORK, 11), ("No space left on device (os error 28)", 9), ("something else", 1)]
)
def test_why_installing_failed(front: Front, said: str, code: int) -> None:
    front.python()
    front.uv(f"echo '{said}' >&2; exit 1")
    asked = front.run("--simulator")
    assert asked.returncode == code
    assert asked.stderr.count("error: ") - said.count("error: ") == 1  # one failure, one that is called so
    assert said in asked.stderr


def test_every_argument_is_handed_on(front: Front) -> None:
    front.python()
    front.uv("exit 0")
    asked = front.run("--simulator", "--target", "local", "--database-url=postgresql://u:a b@h/d")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == "maas install --simulator --target local --database-url=postgresql://u:a b@h/d\n"
    assert (front.folder / ".venv" / ".maas-lock").read_text() == "requirements/postgresql.txt\n"


def test_nothing_is_done_again_until_the_lock_changes(front: Front) -> None:
    front.python()
    front.uv("exit 0")
    calls = front.folder / "calls"
    front.run("--simulator")
    first = calls.read_text()
    assert front.run("--simulator").stdout == "maas install --simulator\n"
    assert calls.read_text() == first
    with (front.folder / "requirements" / "base.txt").open("a") as lock:
        lock.write("# changed\n")
    front.run("--simulator")
    assert len(calls.read_text()) > len(first)


def test_an_interrupted_installation_is_made_whole(front: Front) -> None:
    front.python()
    front.uv("exit 1")
    assert front.run("--simulator").returncode == 1
    front.uv("exit 0")
    assert front.run("--simulator").returncode == 0


def test_the_locks_name_hashes_and_no_registry() -> None:
    for lock in sorted((REPOSITORY / "requirements").glob("*.txt")):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "index-url" not in text


def test_the_locks_are_those_of_pyproject() -> None:
    """Another version of a dependency in pyproject.toml has to reach the locks too: requirements/lock.sh."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    locked = (REPOSITORY / "requirements" / "base.txt").read_text()
    for requirement in project["dependencies"]:
        name = requirement.split(">")[0].split("[")[0]
        assert f"\n{name}==" in f"\n{locked}", f"{name} is not locked"


def test_set_up_only_stops_there(front: Front) -> None:
    front.python()
    front.uv("exit 0")
    asked = front.run("--set-up-only")
    assert (asked.returncode, asked.stdout) == (0, "")
    assert os.access(front.folder / ".venv" / "bin" / "maas", os.X_OK)
