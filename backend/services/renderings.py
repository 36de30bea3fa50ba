"""Pictures of figures: named by their content, drawn one at a time in a thread of their own, stored."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from backend.errors import ApiError
from backend.services.browser import Browser
from cache.keys import key_for
from cache.store import Store

_REMEMBERED = 32
_MAX_WAITING = 16
_IDLE_S = 300.0  # after which Chromium gives its memory back
_SIGNATURES = {b"\x89PNG": "image/png", b"%PDF": "application/pdf", b"<svg": "image/svg+xml"}


class Renderings:
    """All pictures of one server: those being drawn, the last ones, and the stored ones."""

    def __init__(self, store: Store, browser: Browser | None = None) -> None:
        self._store, self._browser = store, browser or Browser()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="renderings")
        self._pictures: OrderedDict[str, Future[bytes]] = OrderedDict()
        self._lock = threading.Lock()
        self._idle: threading.Timer | None = None

    def request(self, figure: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, Future[bytes]]:
        """The id of a picture and its bytes to come. Raises `ApiError`, a 429 where too many wait already."""
        name = _name(figure, options)
        with self._lock:
            known = self._pictures.get(name)
            if known is not None and not _has_failed(known):
                return name, known
            stored = self._store.find(name)
            picture = self._submit(name, figure, options) if stored is None else _done(stored)
            self._remember(name, picture)
        return name, picture

    def picture(self, name: str) -> Future[bytes]:
        """What `request` promised. Raises a 404 where nobody asked, or asked too long ago."""
        known = self._pictures.get(name)
        if known is not None:
            return known
        stored = self._store.find(name)
        if stored is None or media_type(stored) is None:
            raise ApiError(404, "unknown_rendering", "There is no such picture; ask for its figure again.")
        return _done(stored)

    def close(self) -> None:
        """Stop drawing and end Chromium."""
        if self._idle is not None:
            self._idle.cancel()
        with self._lock:
            for picture in self._pictures.values():
                picture.cancel()
        self._browser.stop()
        self._thread.submit(self._browser.close)
        self._thread.shutdown()

    def _submit(self, name: str, figure: Mapping[str, Any], options: Mapping[str, Any]) -> Future[bytes]:
        waiting = sum(not picture.done() for picture in self._pictures.values())
        if waiting >= _MAX_WAITING:
            message = f"{waiting} pictures are being drawn already. Try again in a minute."
            raise ApiError(429, "queue_full", message, retry_after=30)
        return self._thread.submit(self._draw, name, figure, options)

    def _draw(self, name: str, figure: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
        if self._idle is not None:
            self._idle.cancel()
        picture = self._browser.draw(figure, options)
        self._store.keep(name, picture)
        self._idle = threading.Timer(_IDLE_S, self._rest)
        self._idle.daemon = True
        self._idle.start()
        return picture

    def _rest(self) -> None:
        with suppress(RuntimeError):  # the server has stopped meanwhile
            self._thread.submit(self._browser.close)

    def _remember(self, name: str, picture: Future[bytes]) -> None:
        self._pictures[name] = picture
        self._pictures.move_to_end(name)
        done = [name for name, one in self._pictures.items() if one.done()]
        for old in done[:-_REMEMBERED]:
            del self._pictures[old]


def media_type(picture: bytes) -> str | None:
    """What kind of picture these bytes are; None for something else."""
    return next((kind for start, kind in _SIGNATURES.items() if picture.startswith(start)), None)


def _name(figure: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    try:
        return key_for({"figure": figure, "options": options})
    except RecursionError:
        raise ApiError(422, "nested_too_deeply", "No figure is nested as deeply as this.") from None


def _done(picture: bytes) -> Future[bytes]:
    future: Future[bytes] = Future()
    future.set_result(picture)
    return future


def _has_failed(picture: Future[bytes]) -> bool:
    try:
        return picture.done() and picture.exception() is not None
    except CancelledError:
        return True
