#!/bin/sh
# Builds what the tests of the cluster target run against, from the pinned Go modules beside this file.
#   ./build.sh          etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, under the names of
#                       envtest's folder: builds what is not there yet and prints the folder
#   ./build.sh helm     the helm command, likewise, in a folder of its own
#   ./build.sh --where [helm]    only prints the folder, whether it is there or not
# Minutes the first time, then nothing. A folder is outside of the repository, named after a hash of its modules' files:
# a new pin is a new folder, and a half-done build is never taken for a whole one. Tests look into $KUBEBUILDER_ASSETS
# first, and for helm to $MAAS_HELM.
set -eu
cd "$(dirname "$0")"

KUBERNETES=1.34.4
HELM=3.22.0

main() {
    act=build_once
    if [ "${1:-}" = --where ]; then
        act=:
        shift
    fi
    case "${1:-cluster}" in
    cluster) folder kubernetes-$KUBERNETES kubernetes kwok ;;
    helm) folder helm-$HELM helm ;;
    *) echo "usage: ./build.sh [--where] [helm]" >&2 && exit 2 ;;
    esac
    $act "build_${1:-cluster}"
    echo "$FOLDER"
}

folder() { # NAME MODULES...
    name=$1
    shift
    pins=$(for module in "$@"; do cat "$module/go.mod" "$module/go.sum"; done | sha256sum | cut -c1-12)
    FOLDER=${XDG_CACHE_HOME:-$HOME/.cache}/maas/$name-$pins
}

build_once() { # FUNCTION
    [ ! -d "$FOLDER" ] || return 0
    if ! command -v go >/dev/null; then
        echo "Go is not installed: the programs of the tests cannot be built" >&2
        exit 1
    fi
    mkdir -p "$(dirname "$FOLDER")"
    new=$(mktemp -d "$FOLDER.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    trap 'exit 1' INT TERM
    "$1"
    chmod 755 "$new"
    mv -T "$new" "$FOLDER" 2>/dev/null || [ -d "$FOLDER" ] # or somebody else was faster
}

build_cluster() {
    version=k8s.io/component-base/version
    minor=${KUBERNETES#1.}
    go_build kubernetes "-X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 -X $version.gitMinor=${minor%.*}" \
        go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kube-apiserver \
        k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler
    go_build kwok "" sigs.k8s.io/kwok/cmd/kwok
    mv "$new/server" "$new/etcd"
}

build_helm() { # its own version, which comes with the module, and that of the cluster it renders for without one
    minor=${KUBERNETES#1.}
    chartutil=helm.sh/helm/v3/pkg/chartutil
    go_build helm "-X $chartutil.k8sVersionMajor=1 -X $chartutil.k8sVersionMinor=${minor%.*}" helm.sh/helm/v3/cmd/helm
}

go_build() { # MODULE LDFLAGS PACKAGES...
    module=$1
    flags=$2
    shift 2
    (cd "$module" && CGO_ENABLED=0 GOFLAGS='' nice \
        go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w $flags" -o "$new/" "$@") >&2
}

main "$@"
