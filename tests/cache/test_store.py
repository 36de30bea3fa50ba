"""What every store promises, over both stores."""

import random
import threading

import pytest
from redis import Redis

from cache import Store
from cache.file_store import FileStore
from cache.keys import key_for
from cache.nowhere import Nowhere
from cache.redis_store import RedisStore
from cache.store import Address

KEY, OTHER = key_for("one"), key_for("another")


@pytest.mark.parametrize(
    "payload", [b"", b"bytes \x00\xff", b"x" * 1_000_000], ids=["empty", "small", "large"]
)
def test_a_result_comes_back_as_it_was_put(store: Store, payload: bytes) -> None:
    store.put(KEY, payload)
    assert store.get(KEY) == payload
    assert store.counts["hit"] == 1


def test_a_miss_is_none_and_is_counted(store: Store) -> None:
    assert store.get(KEY) is None
    assert store.get_record("job/none") is None
    assert store.counts["miss"] == 1


def test_whether_a_result_is_there_is_not_a_use_of_it(store: Store) -> None:
    assert not store.has(KEY)
    store.put(KEY, b"payload")
    assert store.has(KEY) and not store.has(OTHER)
    assert store.counts["hit"] == store.counts["miss"] == 0
    store.delete(KEY)
    assert not store.has(KEY)


def test_putting_again_replaces(store: Store) -> None:
    store.put(KEY, b"old")
    store.put(KEY, b"new")
    assert store.get(KEY) == b"new"


def test_deleted_is_gone_and_deleting_nothing_is_fine(store: Store) -> None:
    store.put(KEY, b"payload")
    store.put_record("job/a", {})
    for _ in range(2):
        store.delete(KEY)
        store.delete_record("job/a")
    assert store.get(KEY) is None
    assert store.records() == {}


def test_records_are_listed_by_prefix_in_order(store: Store) -> None:
    names = ["job/b", "job/a", "model/Owner/Name-1.5", "prompt-set/ü * [x] %41"]
    for name in names:
        store.put_record(name, {"name": name})
    assert list(store.records()) == store.record_names() == sorted(names)
    assert store.records("job/") == {"job/a": {"name": "job/a"}, "job/b": {"name": "job/b"}}
    assert store.records("nothing") == {}


def test_dots_in_a_name_lead_nowhere(store: Store) -> None:
    for name in (".", "..", "../../escaped"):
        store.put_record(name, {"name": name})
        assert store.get_record(name) == {"name": name}
    assert set(store.records()) == {".", "..", "../../escaped"}


@pytest.mark.parametrize("key", ["", "abc", "A" * 64, "../" + "a" * 61, "a" * 65])
def test_a_key_that_is_none_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case hex digits"):
        store.get(key)


def test_a_record_must_be_json_with_a_name(store: Store) -> None:
    with pytest.raises(ValueError):
        store.put_record("job/a", {"value": float("nan")})
    with pytest.raises(ValueError, match="name"):
        store.put_record("x" * 151, {})
    assert store.records() == {}


def test_check_leaves_nothing_behind(store: Store) -> None:
    store.check()
    assert store.records() == {}


def _mutate(frame: bytes, kind: int, draw: random.Random) -> bytes:
    """A frame that is damaged in one of five ways."""
    at = draw.randrange(len(frame))
    match kind % 5:
        case 0:  # one flipped bit
            return frame[:at] + bytes([frame[at] ^ 1 << draw.randrange(8)]) + frame[at + 1 :]
        case 1:  # truncated
            return frame[:at]
        case 2:  # a run of zeros
            zeroed = frame[:at] + bytes(min(40, len(frame) - at)) + frame[at + 40 :]
            return zeroed if zeroed != frame else bytes(len(frame))
        case 3:  # more than was written
            return frame + draw.randbytes(1 + at)
        case _:  # something else altogether, for example a pickle
            return b"\x80\x04\x95" + draw.randbytes(at)


def test_a_damaged_entry_is_a_miss_and_never_wrong_bytes(store: Store) -> None:
    draw = random.Random(0)
    for trial in range(200):
        address = Address("result", KEY) if trial % 2 else Address("record", "job/a")
        store.put(KEY, draw.randbytes(draw.randrange(200)))
        store.put_record("job/a", {"trial": trial})
        frame = store._read(address)
        assert frame is not None
        store._write(address, _mutate(frame, trial // 2, draw))
        assert (store.get(KEY) if trial % 2 else store.get_record("job/a")) is None
        assert store._read(address) is None, "it must have been moved aside"
        assert store.counts["corrupt"] == trial + 1


def test_swapped_entries_are_misses(store: Store) -> None:
    store.put(KEY, b"one")
    store.put(OTHER, b"another")
    first, second = (store._read(Address("result", key)) for key in (KEY, OTHER))
    assert first is not None and second is not None
    store._write(Address("result", KEY), second)
    store._write(Address("result", OTHER), first)
    store._write(Address("record", KEY), first)
    assert store.get(KEY) is None
    assert store.get(OTHER) is None
    assert store.get_record(KEY) is None
    assert store.counts["corrupt"] == 3


def test_a_damaged_entry_can_be_written_again(store: Store) -> None:
    store.put(KEY, b"payload")
    store._write(Address("result", KEY), b"damaged")
    assert store.get(KEY) is None
    store.put(KEY, b"payload")
    assert store.get(KEY) == b"payload"


def test_eight_threads_read_only_whole_entries(store: Store) -> None:
    payloads = [bytes([letter]) * 20_000 for letter in range(4)]
    wrong: list[object] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        try:
            for _ in range(40):
                store.put(KEY, draw.choice(payloads))
                store.put_record("job/a", {"seed": seed})
                if store.get(KEY) not in payloads or "seed" not in (store.get_record("job/a") or {}):
                    wrong.append("a missing or mixed entry")
        except Exception as failure:
            wrong.append(failure)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_both_stores_keep_the_same_bytes(tmp_path, redis_url: str) -> None:
    stores = [FileStore(tmp_path, cap_bytes=1000), RedisStore(redis_url)]
    for one in stores:
        one.put(KEY, b"payload")
    frames = {one._read(Address("result", KEY)) for one in stores}
    assert len(frames) == 1
    for one in stores:
        one.close()


def test_in_redis_results_expire_and_records_do_not(redis_url: str) -> None:
    store = RedisStore(redis_url)
    store.put(KEY, b"payload")
    store.put_record("job/a", {})
    with Redis.from_url(redis_url) as client:
        assert 6.9 * 86400 < client.ttl(f"headscope:result:{KEY}") <= 7 * 86400
        assert client.ttl("headscope:record:job/a") == -1
        assert all(key.startswith(b"headscope:") for key in client.scan_iter())
    store.close()


def test_nowhere_keeps_nothing() -> None:
    store = Nowhere()
    store.put(KEY, b"payload")
    store.put_record("job/a", {"a": 1})
    assert store.get(KEY) is None and not store.has(KEY)
    assert store.records() == {}
    store.delete(KEY)
    store.close()
