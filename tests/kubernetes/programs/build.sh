#!/bin/sh
# Builds what the tests of the cluster target run against, from the pinned Go modules beside this file: etcd,
# kube-apiserver, kube-controller-manager, kube-scheduler and kwok, under the names of envtest's folder.
#   ./build.sh          builds what is not there yet and prints the folder; minutes the first time, then nothing
#   ./build.sh --where  only prints the folder, whether it is there or not
# The folder is outside of the repository, named after a hash of the modules' files: a new pin is a new
# folder, and a half-done build is never taken for a whole one. Tests look into $KUBEBUILDER_ASSETS first.
set -eu
cd "$(dirname "$0")"

KUBERNETES=1.34.4
PINS=$(cat kubernetes/go.mod kubernetes/go.sum kwok/go.mod kwok/go.sum | sha256sum | cut -c1-12)
FOLDER=${XDG_CACHE_HOME:-$HOME/.cache}/maas/kubernetes-$KUBERNETES-$PINS

main() {
    case "${1:-}" in
    --where) ;;
    "") [ -d "$FOLDER" ] || build ;;
    *) echo "usage: ./build.sh [--where]" >&2 && exit 2 ;;
    esac
    echo "$FOLDER"
}

build() {
    if ! command -v go >/dev/null; then
        echo "Go is not installed: the programs of a Kubernetes cluster cannot be built" >&2
        exit 1
    fi
    mkdir -p "$(dirname "$FOLDER")"
    new=$(mktemp -d "$FOLDER.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    trap 'exit 1' INT TERM
    version=k8s.io/component-base/version
    minor=${KUBERNETES#1.}
    go_build kubernetes "-X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 -X $version.gitMinor=${minor%.*}" \
        go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kube-apiserver \
        k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler
    go_build kwok "" sigs.k8s.io/kwok/cmd/kwok
    mv "$new/server" "$new/etcd"
    chmod 755 "$new"
    mv -T "$new" "$FOLDER" 2>/dev/null || [ -d "$FOLDER" ] # or somebody else was faster
}

go_build() { # MODULE LDFLAGS PACKAGES...
    module=$1
    flags=$2
    shift 2
    (cd "$module" && CGO_ENABLED=0 GOFLAGS='' nice \
        go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w $flags" -o "$new/" "$@") >&2
}

main "$@"
