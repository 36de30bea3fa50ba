"""A Chromium that draws plotly figures, through kaleido: started at the first figure and kept warm.

It loads plotly.js from this machine and may load nothing else, whatever a figure asks for.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from backend.errors import ApiError

log = logging.getLogger(__name__)

TIMEOUT_S = 60.0
POLICY = (
    "default-src 'none'; script-src file:; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
NO_KALEIDO = "Pictures need kaleido, which is not installed: pip install 'kaleido>=1.5'."
NO_CHROMIUM = "Pictures need Chromium, which is not installed: apt-get install chromium."
TOO_SLOW = f"The picture was not drawn within {TIMEOUT_S:.0f} s. Fewer points or another format may help."


class Browser:
    """Draws one figure at a time; all methods but `stop` are called in one and the same thread."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._kaleido: Any = None
        self._drawing: asyncio.Task[bytes] | None = None

    def draw(self, figure: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
        """The figure as the bytes of a picture. Raises `ApiError` with a sentence."""
        try:
            return self._run(self._draw(figure, options))
        except (Exception, asyncio.CancelledError) as failure:
            self.close()  # whatever state it is in, the next figure gets a fresh one
            raise _refused(failure) from failure

    def close(self) -> None:
        """End Chromium, if it runs."""
        kaleido, self._kaleido = self._kaleido, None
        if kaleido is not None:
            try:
                self._run(asyncio.wait_for(kaleido.close(), 10))
            except Exception:
                log.exception("Chromium did not end as it should")
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def stop(self) -> None:
        """Break off what is being drawn; called from another thread."""
        drawing = self._drawing
        if drawing is not None:
            drawing.get_loop().call_soon_threadsafe(drawing.cancel)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(work)

    async def _draw(self, figure: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
        self._drawing = asyncio.current_task()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                kaleido = self._kaleido or await self._open()
                return await kaleido.calc_fig(dict(figure), dict(options))
        finally:
            self._drawing = None

    async def _open(self) -> Any:
        from kaleido import Kaleido, PageGenerator

        page = PageGenerator(mathjax=False)
        policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        page.header = page.header.replace("<head>", f"<head>{policy}", 1)
        self._kaleido = Kaleido(n=1, timeout=TIMEOUT_S, page_generator=page)
        await self._kaleido.open()
        return self._kaleido


def _refused(failure: BaseException) -> ApiError:
    if isinstance(failure, ImportError):
        return ApiError(501, "no_kaleido", NO_KALEIDO)
    if type(failure).__name__ == "ChromeNotFoundError":
        return ApiError(501, "no_chromium", NO_CHROMIUM)
    if isinstance(failure, TimeoutError | asyncio.CancelledError):
        return ApiError(504, "rendering_timeout", TOO_SLOW)
    log.error("A figure could not be drawn.", exc_info=failure)
    return ApiError(422, "rendering_failed", "Plotly could not draw this figure. The server's log says why.")
