#!/bin/sh
# Sets up .venv beside this file and hands every argument to `maas install`, which sets the platform up, on this machine
# or on a cluster, and proves that it works. Needs Python 3.11 or newer and a package registry; no root, no containers.
set -eu

# shellcheck disable=SC2016 # the $ in it is for reading
USAGE='Usage: ./install.sh --simulator [OPTIONS]

Sets up a Models-as-a-Service platform, starts it, sends requests through it,
and prints how to use it. Running it again upgrades it, or goes on where it was
interrupted; keys and usage stay.

What to serve (at least one, unless a platform or a maas.yaml is there already):
  --simulator           a simulated model: no GPU, no download
  --cpu                 a real language model on the CPU: Qwen3 0.6B, or where
                        no hub can be reached SmolLM2 135M, which is tiny and
                        not very bright. Compiles llama.cpp the first time
                        (about 10 minutes on 2 cores)
  --qwen3               Qwen3 0.6B on a GPU; on this machine with the vLLM that
                        is installed
  --install-all-models  both, --simulator and --qwen3
  --model NAME          on a cluster, also this one: qwen3-8b, ORG/NAME,
                        pvc://..., s3://..., oci://...
  -f, --file FILE       on a cluster, what this maas.yaml says

Where:
  --target TARGET       auto, local, kubernetes or openshift (default: auto)
                        auto takes the cluster that is configured, or this
                        machine where none is
  --ocp                 as --target openshift
  --no-ocp              as --target kubernetes
  --context NAME        the context of the kubeconfig
  --kubeconfig FILE     default: $KUBECONFIG, or ~/.kube/config
  -n, --namespace NAME  where models and the gateway are to live (default: llm)
  --domain DOMAIN       models are at maas.DOMAIN/MODEL/v1 and MODEL.DOMAIN/v1
  --database-url URL    on this machine: keep keys and usage in PostgreSQL, not
                        in SQLite; better given as $MAAS_DATABASE_URL, which
                        other users do not see in `ps`

What comes with it, on a cluster:
  --token-rate-limit    limits on tokens instead of limits on requests
  --all-limits          both again
  --skip-metrics        no monitors, no dashboards
  --metrics             with them again
  --gpu-operator        the GPU Operator of NVIDIA
  --no-gpu-operator     not any more

Look first:
  --check-gpu           whether a GPU there can carry the model
  --dry-run             let the cluster try everything, and change nothing
  --diff                show what would change in each object
  --render DIR          write everything as files for GitOps, without a cluster
  --gpu NAME            with --render: what to size models for (t4, l4, ...)

How:
  --mirror DIR          take charts and manifests from there: see `maas mirror`
  --ignore CODE         go on in spite of this finding: MAAS-101
  -y, --yes             do not ask
  --timeout DURATION    for all steps together (default: 20m)
  -o, --output FORMAT   table or json
  --set-up-only         make .venv, and stop there
  -h, --help            show this

Variables:
  PYTHON                the Python to use, for example python3.12
  MAAS_HOME             where the platform keeps its things
                        (default: ~/.local/share/maas)

Exit codes:
  0 done               3 the cluster is not ready, or it does not work
  2 wrong usage        7 a part of the platform failed
  5 a port is taken   10 no Python 3.11+
  9 the disk is full  11 the registry is out of reach
 12 no venv module    13 llama.cpp could not be compiled'

NEEDED_KB=400000 # the environment takes about 250 MB, and its downloads about 100 MB for a moment

main() {
    check_arguments "$@"
    from=$PWD
    cd "$(dirname "$0")"
    VENV=$PWD/.venv
    LOG=$PWD/.venv.log
    lock=$(wanted_lock "$@")
    if ! up_to_date "$lock"; then
        check_disk
        make_venv
        install_locked "$lock"
    fi
    [ -z "$cpu" ] || make_llama_cpp
    [ -z "$set_up_only" ] || exit 0
    cd "$from" # where the paths in the arguments are meant
    exec "$VENV/bin/maas" install "$@"
}

# Before anything else is done, so that a typo costs no minute. What the options mean is for `maas install` to say.
check_arguments() {
    set_up_only='' cpu=''
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) echo "$USAGE" && exit 0 ;;
        --set-up-only) set_up_only=yes ;;
        --cpu) cpu=yes ;;
        --deploy-kind) refuse_kind ;;
        --simulator | --qwen3 | --install-all-models | --check-gpu | --ocp | --no-ocp | -y | --yes) ;;
        --token-rate-limit | --all-limits | --skip-metrics | --metrics | --gpu-operator | --no-gpu-operator) ;;
        --dry-run | --diff) ;;
        --target=?*) check_target "${1#*=}" ;;
        --model=?* | --file=?* | --context=?* | --kubeconfig=?* | --namespace=?* | --domain=?* | --database-url=?*) ;;
        --render=?* | --gpu=?* | --mirror=?* | --ignore=?* | --timeout=?* | --output=?*) ;;
        --target | --model | --file | --context | --kubeconfig | --namespace | --domain | --database-url | --render | \
            --gpu | --mirror | --ignore | --timeout | --output | -f | -n | -o)
            [ $# -ge 2 ] || usage_error "$1 needs a value"
            [ "$1" != --target ] || check_target "$2"
            shift
            ;;
        *) usage_error "unknown argument: $1" ;;
        esac
        shift
    done
}

check_target() { # TARGET
    case $1 in
    auto | local | kubernetes | openshift) ;;
    *) usage_error "--target is auto, local, kubernetes or openshift, not $1" ;;
    esac
}

refuse_kind() {
    fail 2 "--deploy-kind: this installs a platform on a cluster that is there, and makes none" \
        "Make one with kind, and install on it:" \
        "  kind create cluster --name llm-maas" \
        "  ./install.sh --simulator --context kind-llm-maas" \
        "or without any cluster, on this machine: ./install.sh --simulator --target local"
}

usage_error() {
    printf 'error: %s\n\n%s\n' "$1" "$USAGE" >&2
    exit 2
}

fail() { # CODE MESSAGE [MORE LINES...]
    code=$1
    printf 'error: %s\n' "$2" >&2
    shift 2
    [ $# -eq 0 ] || printf '%s\n' "$@" >&2
    exit "$code"
}

step() {
    printf '==> %s\n' "$1" >&2
}

# PostgreSQL's driver is installed for those who ask for it, and stays.
wanted_lock() {
    case "${MAAS_DATABASE_URL-} $* $(cat "$VENV/.maas-lock" 2>/dev/null || :)" in
    *postgres*) echo requirements/postgresql.txt ;;
    *) echo requirements/base.txt ;;
    esac
}

fingerprint() { # LOCK
    cat "$1" pyproject.toml | sha256sum | cut -d' ' -f1
}

up_to_date() { # LOCK
    [ -x "$VENV/bin/maas" ] && [ "$(cat "$VENV/.maas-stamp" 2>/dev/null)" = "$(fingerprint "$1")" ] &&
        "$VENV/bin/python" -c 'import maas' 2>/dev/null
}

check_disk() {
    free=$(df -Pk . | awk 'NR == 2 { print $4 }')
    [ "$free" -ge $NEEDED_KB ] || disk_is_full "$((free / 1000)) MB are free, about $((NEEDED_KB / 1000)) MB are needed"
}

disk_is_full() { # DETAIL
    fail 9 "the disk that holds $PWD is full: $1"
}

make_venv() {
    if [ -x "$VENV/bin/python" ] && is_new_enough "$VENV/bin/python"; then
        return
    fi
    python=$(find_python)
    step "Setting up .venv with $("$python" --version)"
    rm -rf "$VENV"
    if has_uv; then
        uv venv --quiet --no-config --python "$python" "$VENV" 2>"$LOG" || venv_failed
    else
        "$python" -m venv "$VENV" >"$LOG" 2>&1 || venv_failed
    fi
}

venv_failed() {
    rm -rf "$VENV"
    if grep -q 'No space left' "$LOG"; then
        disk_is_full "$(tail -n 1 "$LOG")"
    elif grep -qE 'ensurepip|No module named .?venv' "$LOG"; then
        fail 12 "this Python can't make virtual environments; on Debian and Ubuntu: apt install python3-venv"
    fi
    fail 1 "could not make $VENV: $(tail -n 1 "$LOG")"
}

find_python() {
    found=
    for name in ${PYTHON-} python3.14 python3.13 python3.12 python3.11 python3; do
        path=$(command -v "$name") || continue
        if is_new_enough "$path"; then
            echo "$path"
            return
        fi
        version=$("$path" --version 2>/dev/null) && found="$found${found:+ and }$name ($version)"
    done
    found=${found:+, but here is only $found}
    fail 10 "Python 3.11 or newer is needed${found:-, and there is none}; install it, or name it with PYTHON=/its/path"
}

is_new_enough() { # PYTHON
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

has_uv() {
    [ -z "${MAAS_NO_UV-}" ] && command -v uv >/dev/null
}

install_locked() { # LOCK
    step "Installing what $1 lists"
    rm -f "$VENV/.maas-stamp"
    install --require-hashes -r "$1"
    step "Installing maas"
    install --no-deps --no-build-isolation --editable .
    echo "$1" >"$VENV/.maas-lock"
    fingerprint "$1" >"$VENV/.maas-stamp"
    rm -f "$LOG"
}

# llama.cpp's server is compiled where it runs, for the processor that is here. It needs a C++ compiler and cmake; cmake
# comes along as a package. Its sources are those that llama-cpp-python's package carries: of all that only the server is
# built, as one program without libraries of its own. Whoever has a llama-server names it in $MAAS_LLAMA_SERVER.
make_llama_cpp() {
    [ -z "${MAAS_LLAMA_SERVER-}" ] || return 0
    stamp=$(cat requirements/cpu.txt requirements/llama-server.cmake | sha256sum | cut -d' ' -f1)
    [ "$(cat "$VENV/.maas-cpu-stamp" 2>/dev/null)" != "$stamp" ] || return 0
    command -v c++ >/dev/null || fail 13 "llama.cpp has to be compiled, and there is no C++ compiler (c++); on Debian \
and Ubuntu: apt install g++; on Fedora and RHEL: dnf install gcc-c++"
    step "Compiling llama.cpp, once: about 10 minutes on 2 cores"
    flags="-DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_BINDIR=llama_cpp/bin -DLLAVA_BUILD=OFF"
    flags="$flags '-DCMAKE_PROJECT_llama.cpp_INCLUDE=$PWD/requirements/llama-server.cmake'"
    for part in BUILD_TOOLS BUILD_SERVER; do flags="$flags -DLLAMA_$part=ON"; done
    for part in BUILD_TESTS BUILD_EXAMPLES BUILD_APP USE_PREBUILT_UI OPENSSL TOOLS_INSTALL; do
        flags="$flags -DLLAMA_$part=OFF"
    done
    CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(getconf _NPROCESSORS_ONLN)} \
        SKBUILD_BUILD_TARGETS=llama-server CMAKE_ARGS=$flags \
        install --no-deps --require-hashes -r requirements/cpu.txt
    echo "$stamp" >"$VENV/.maas-cpu-stamp"
    rm -f "$LOG"
}

install() { # ARGUMENTS...
    if has_uv; then
        uv pip install --python "$VENV/bin/python" "$@" >"$LOG" 2>&1 &
    else
        "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input "$@" >"$LOG" 2>&1 &
    fi
    wait_with_clock $! || install_failed
}

# A terminal sees the seconds pass.
wait_with_clock() { # PID
    trap 'kill $! 2>/dev/null; exit 130' INT TERM
    seconds=0
    while [ -t 2 ] && kill -0 "$1" 2>/dev/null; do
        printf '\r    %d s ' "$seconds" >&2
        sleep 1
        seconds=$((seconds + 1))
    done
    [ ! -t 2 ] || printf '\r          \r' >&2
    trap - INT TERM
    wait "$1"
}

install_failed() {
    if grep -qE 'No space left|Disk quota exceeded' "$LOG"; then
        disk_is_full "$(grep -m1 -E 'No space left|Disk quota' "$LOG")"
    elif grep -qiE 'connection|timed out|resolve|dns|network|fetch|certificate|no matching distribution' "$LOG"; then
        fail 11 "the package registry is out of reach, or does not have what is needed" \
            "Is there a network, and does pip need a proxy or an index of yours?" \
            "What was said is in $LOG and ends with:" "$(tail -n 1 "$LOG")"
    fi
    fail 1 "installing failed" "What was said is in $LOG and ends with:" "$(tail -n 1 "$LOG")"
}

main "$@"
