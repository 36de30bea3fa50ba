"""The Redis store with a Redis that is away, hangs, is full, or allows little."""

import socket
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from cache import StoreUnavailable
from cache.keys import key_for
from cache.redis_store import RedisStore
from cache.store import Address

KEY = key_for("a")
pytestmark = pytest.mark.redis


@pytest.fixture
def admin(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client
        client.config_set("maxmemory", 0)


@pytest.fixture(params=["refuses", "hangs"])
def dead_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of something that refuses connections, or takes them and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            server.listen(50)
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_dead_redis_costs_300_ms_once_and_then_nothing(dead_url: str) -> None:
    store = RedisStore(dead_url)
    costs_s = []
    for _ in range(3):
        store._paused_until = 0.0
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.get(KEY)
        costs_s.append(time.monotonic() - began)
    assert min(costs_s) < 0.3
    began = time.monotonic()
    assert [store.find(KEY) for _ in range(100)] == [None] * 100
    assert not store.keep(KEY, b"payload")
    with pytest.raises(StoreUnavailable):
        store.records()
    assert time.monotonic() - began < 0.5, "5 ms a call"
    assert store.counts["bypass"] == 101
    store.close()


def test_it_is_used_again_a_second_after_it_came_back(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(redis_url)
    clock = 100.0
    monkeypatch.setattr("cache.redis_store.time.monotonic", lambda: clock)
    store._paused_until = 101.0
    assert store.find(KEY) is None
    assert not store.keep(KEY, b"payload")
    clock = 101.1
    assert store.keep(KEY, b"payload")
    assert store.get(KEY) == b"payload"
    store.close()


def test_a_full_redis_refuses_writes_and_still_reads(redis_url: str, admin: Redis) -> None:
    store = RedisStore(redis_url)
    store.put(KEY, b"payload")
    admin.config_set("maxmemory-policy", "noeviction")
    admin.config_set("maxmemory", "1mb")
    with pytest.raises(StoreUnavailable, match="refused"):
        store.put(key_for("b"), bytes(1000))
    assert store.get(KEY) == b"payload"
    store.close()


def test_under_memory_pressure_results_go_and_records_stay(redis_url: str, admin: Redis) -> None:
    store = RedisStore(redis_url)
    for number in range(20):
        store.put_record(f"job/{number}", {"number": number})
    admin.config_set("maxmemory-policy", "volatile-lru")
    admin.config_set("maxmemory", admin.info("memory")["used_memory"] + 2_000_000)
    for number in range(60):
        store.put(key_for(number), bytes(100_000))
    assert len(store.records("job/")) == 20
    kept = sum(store.get(key_for(number)) is not None for number in range(60))
    assert 0 < kept < 60
    store.close()


def test_it_needs_only_a_user_that_may_do_little(redis_url: str, admin: Redis) -> None:
    admin.acl_setuser(
        "headscope",
        enabled=True,
        passwords=["+secret"],
        keys=["headscope:*"],
        commands=["-@all", "+get", "+set", "+del", "+scan"],
    )
    store = RedisStore(redis_url.replace("redis://", "redis://headscope:secret@"))
    store.put(KEY, b"payload")
    store._write(Address("result", key_for("b")), b"damaged")
    assert (store.get(KEY), store.get(key_for("b"))) == (b"payload", None)
    store.check()
    assert store.records() == {}
    store.delete(KEY)
    store.close()


def test_a_wrong_password_is_told(redis_url: str) -> None:
    store = RedisStore(redis_url.replace("redis://", "redis://nobody:wrong@"))
    with pytest.raises(StoreUnavailable):
        store.get(KEY)
    store.close()
