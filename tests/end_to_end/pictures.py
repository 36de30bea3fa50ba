"""Pictures of pages beside those kept in baselines/: compared in the browser that took them."""

import base64
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

BASELINES = Path(__file__).parent / "baselines"
FAR = 40  # of 255: a pixel that differs by more is another colour, not another shade of an edge
SHARE = 0.015  # of all pixels may do so

# Both pictures onto canvases; the share of far pixels, and a picture in which they are red.
COMPARE = """async ([one, other, far]) => {
    const pixels = async (data) => {
        const picture = new Image();
        picture.src = 'data:image/png;base64,' + data;
        await picture.decode();
        const canvas = new OffscreenCanvas(picture.width, picture.height), brush = canvas.getContext('2d');
        brush.drawImage(picture, 0, 0);
        return brush.getImageData(0, 0, picture.width, picture.height);
    };
    const a = await pixels(one), b = await pixels(other);
    if (a.width !== b.width || a.height !== b.height) { return {share: 1, picture: other}; }
    let n = 0;
    for (let at = 0; at < a.data.length; at += 4) {
        const apart = Math.max(...[0, 1, 2].map((k) => Math.abs(a.data[at + k] - b.data[at + k])));
        for (let k = 0; k < 3; k += 1) { b.data[at + k] = 170 + b.data[at + k] / 3; }
        if (apart > far) { n += 1; b.data.set([220, 0, 0, 255], at); }
    }
    const canvas = document.createElement('canvas');
    canvas.width = b.width; canvas.height = b.height;
    canvas.getContext('2d').putImageData(b, 0, 0);
    return {share: 4 * n / a.data.length, picture: canvas.toDataURL().split(',')[1]};
}"""
FONTS = """() => {
    const brush = document.createElement('canvas').getContext('2d');
    return ['system-ui', 'ui-monospace, Menlo, Consolas, "Liberation Mono", monospace'].map((family) => {
        brush.font = `14px ${family}`;
        return Math.round(100 * brush.measureText('L23H2 −1.25 Which letter?').width);
    }).join(' ');
}"""


def fonts(browser: Browser) -> str:
    """How wide words are here: other fonts make other pictures."""
    return _asked(browser, FONTS)


def kept_fonts() -> str:
    """How wide they were where the pictures were taken."""
    told = BASELINES / "fonts.txt"
    return told.read_text().strip() if told.exists() else ""


def renewing() -> bool:
    """Whether the pictures are to be taken anew: HEADSCOPE_NEW_PICTURES=1 pytest ..."""
    return os.environ.get("HEADSCOPE_NEW_PICTURES") == "1"


def differs(browser: Browser, name: str, picture: bytes, folder: Path) -> str:
    """Empty where a picture is as before; otherwise what to look at."""
    kept = BASELINES / f"{name}.png"
    if not kept.exists():
        return f"there is no picture of {name}: take it with HEADSCOPE_NEW_PICTURES=1"
    sides = [base64.b64encode(side).decode() for side in (kept.read_bytes(), picture)]
    found = _asked(browser, COMPARE, [*sides, FAR])
    if found["share"] <= SHARE:
        return ""
    (folder / f"{name}-now.png").write_bytes(picture)
    (folder / f"{name}-differs.png").write_bytes(base64.b64decode(found["picture"]))
    return f"{found['share']:.1%} of {name} differ; see {folder}"


def _asked(browser: Browser, script: str, *given: Any) -> Any:
    page = browser.new_page()
    try:
        return page.evaluate(script, *given)
    finally:
        page.close()
