"""A store that has nothing and keeps nothing: for what must be computed anew."""

from cache.store import Address, Store


class Nowhere(Store):
    """Every read is a miss, every write is forgotten."""

    def close(self) -> None:
        pass

    def _read(self, address: Address) -> bytes | None:
        return None

    def _has(self, address: Address) -> bool:
        return False

    def _write(self, address: Address, frame: bytes) -> None:
        pass

    def _remove(self, address: Address) -> None:
        pass

    def _quarantine(self, address: Address, frame: bytes) -> None:
        pass

    def _record_names(self, prefix: str) -> set[str]:
        return set()
