"""Opens a store when told to, and leaves a key in it."""

import sys
from contextlib import closing

from maas.store import Store
from tests.store.samples import key


def main(url: str, id: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    with closing(Store.open(url)) as store:
        store.keys.insert(key(id), actor="test", at=1.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
