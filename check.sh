#!/bin/sh
# Everything that has to hold before a change is handed in: lint, format, types, layers, tests.
# Sets up what it needs: .venv with the locked tools and, as root on Debian, the programs that some tests run.
# Tests whose program is missing are skipped; pytest ends with their reasons. Any failure: not zero.
set -eu
cd "$(dirname "$0")"

VENV=$PWD/.venv
LOCK=requirements/dev.txt
DEBIAN='postgresql shellcheck' # a server for the tests of the store; a linter for these scripts
failed=

main() {
    [ $# -eq 0 ] || { echo "usage: ./check.sh" >&2 && exit 2; }
    set_up_programs
    set_up_venv
    set_up_cluster_programs
    PATH=$VENV/bin:$PATH
    keep_bytecode
    run "ruff check" ruff check
    run "ruff format" ruff format --check
    run "mypy" mypy
    run "lint-imports" lint-imports --no-cache
    if command -v shellcheck >/dev/null; then
        run "shellcheck" shellcheck install.sh check.sh .ci/run requirements/lock.sh tests/kubernetes/programs/build.sh
    else
        echo "shellcheck is not installed: the shell scripts were not checked"
    fi
    run "pytest" python -m pytest -n "$(at_once)" --dist loadfile --no-loadscope-reorder -m "not alone"
    # shellcheck disable=SC2046 # a list; to collect all the others takes longer than these
    run "pytest, with a stopwatch" python -m pytest -m alone $(grep -rl --include='*.py' 'mark\.alone' tests)
    [ -z "$failed" ] || { printf '\nfailed:%s\n' "$failed" && exit 1; }
}

# The tests start hundreds of `maas` processes. Where the environment says to keep no bytecode, each of them would compile
# all that it imports, which is most of what it does. Kept beside the tools, so that the sources stay as they are.
keep_bytecode() {
    unset PYTHONDONTWRITEBYTECODE
    export PYTHONPYCACHEPREFIX="$VENV/bytecode"
}

# Tests wait for processes more than they compute; each worker may run an API server and a platform of its own.
at_once() {
    cores=$(getconf _NPROCESSORS_ONLN)
    if [ "$cores" -lt 5 ]; then echo $((cores + 1)); else echo 6; fi
}

run() { # NAME COMMAND...
    name=$1
    shift
    printf '\n== %s\n' "$name"
    "$@" || failed="$failed $name;"
}

# Without root or apt, the tests that need them say so themselves.
set_up_programs() {
    command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || return 0
    missing=
    for package in $DEBIAN; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "== installing$missing"
    # shellcheck disable=SC2086 # a list
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing; } \
        >/dev/null </dev/null || echo "could not install$missing: tests that need them will be skipped"
}

# etcd, kube-apiserver and their like, and helm, for the tests of clusters: minutes the first time, then nothing.
# Where $KUBEBUILDER_ASSETS or $MAAS_HELM name them, the tests look there.
set_up_cluster_programs() {
    [ -n "${KUBEBUILDER_ASSETS:-}" ] || set_up_built "a Kubernetes API server"
    [ -n "${MAAS_HELM:-}" ] || set_up_built "the helm command" helm
}

set_up_built() { # WHAT [PART]
    what=$1
    shift
    build=tests/kubernetes/programs/build.sh
    [ -d "$($build --where "$@")" ] || echo "== building $what for the tests: takes minutes, only the first time"
    $build "$@" >/dev/null || echo "no $what: the tests that need one will be skipped"
}

set_up_venv() {
    stamp=$(cat $LOCK pyproject.toml | sha256sum | cut -d' ' -f1)
    if [ "$(cat "$VENV/.maas-dev-stamp" 2>/dev/null)" = "$stamp" ] && "$VENV/bin/python" -c 'import maas' 2>/dev/null; then
        return
    fi
    echo "== setting up .venv"
    ./install.sh --set-up-only
    install --require-hashes -r $LOCK
    install --no-deps --no-build-isolation --editable .
    echo "$stamp" >"$VENV/.maas-dev-stamp"
}

install() { # ARGUMENTS...
    if command -v uv >/dev/null; then
        uv pip install --quiet --python "$VENV/bin/python" "$@"
    else
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"
    fi
}

main "$@"
