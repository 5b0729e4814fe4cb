#!/bin/sh
# Writes the lock files anew: every package with its hashes, for every Python from 3.11 and every platform.
# Without arguments the versions in the files are kept where they still fit; --upgrade takes the newest.
# No registry is named in them: who installs decides where from.
set -eu
cd "$(dirname "$0")/.."

lock() { # OUTPUT INPUT...
    output=requirements/$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
        --no-emit-find-links --no-annotate --output-file "$output" ${UPGRADE:+"$UPGRADE"} "$@"
}

UPGRADE=
case ${1-} in
'') ;;
--upgrade) UPGRADE=--upgrade ;;
*) echo "usage: requirements/lock.sh [--upgrade]" >&2 && exit 2 ;;
esac

lock base.txt pyproject.toml requirements/base.in
lock postgresql.txt --extra postgresql --constraint requirements/base.txt pyproject.toml requirements/base.in
lock cpu.txt --no-deps requirements/cpu.in
lock dev.txt --extra postgresql --constraint requirements/postgresql.txt pyproject.toml requirements/base.in requirements/dev.in
