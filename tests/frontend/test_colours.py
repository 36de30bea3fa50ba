"""Everybody can tell the colours apart: contrast of words, and the scale as colour-blind eyes see it."""

import itertools

import numpy as np
import pytest

from frontend.theme import PALETTES, Palette, diverging, strength

# Machado, Oliveira and Fernandes 2009, complete loss of one kind of cone, on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
]
FAR_APART = 20.0  # distance in CIELAB; 2.3 is just noticeable
READABLE = 4.5  # WCAG 2.2, contrast of words

palettes = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)


def linear(colour: str) -> np.ndarray:
    """`#rrggbb` or `rgb(r,g,b)` as shares of light."""
    if colour.startswith("#"):
        shares = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    else:
        shares = np.array([int(part) for part in colour[4:-1].split(",")]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB under daylight."""
    shares = np.array(TO_XYZ) @ np.clip(light, 0, 1) / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(shares > 216 / 24389, np.cbrt(shares), (24389 / 27 * shares + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def mixed(palette: Palette, share: float) -> np.ndarray:
    """The scale at a share from -1 to 1; as the page does, in the colours' own numbers."""
    end = palette.positive if share > 0 else palette.negative
    return linear(blend(palette.zero, end, abs(share)))


def blend(start: str, end: str, share: float) -> str:
    parts = zip(start[4:-1].split(","), end[4:-1].split(","), strict=True)
    return f"rgb({','.join(str(round(int(a) + share * (int(b) - int(a)))) for a, b in parts)})"


def contrast(one: str, other: str) -> float:
    light, dark = sorted(
        (float(np.array(TO_XYZ)[1] @ linear(colour)) for colour in (one, other)), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


@palettes
@pytest.mark.parametrize("eyes", EYES)
def test_both_signs_and_zero_differ_for_every_eye(palette: Palette, eyes: str) -> None:
    seen = [lab(np.array(EYES[eyes]) @ mixed(palette, share)) for share in (-1.0, 0.0, 1.0)]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > FAR_APART


@palettes
@pytest.mark.parametrize("eyes", EYES)
def test_a_quarter_of_the_largest_effect_still_shows_its_sign(palette: Palette, eyes: str) -> None:
    share = strength(0.25, 1.0)
    seen = [lab(np.array(EYES[eyes]) @ mixed(palette, place)) for place in (-share, share)]
    assert np.linalg.norm(seen[0] - seen[1]) > FAR_APART


def test_a_scale_of_red_and_green_would_fail() -> None:
    wrong = [
        lab(np.array(EYES["deutan"]) @ linear(colour)) for colour in ("rgb(190,90,60)", "rgb(110,130,60)")
    ]
    assert np.linalg.norm(wrong[0] - wrong[1]) < FAR_APART


@palettes
def test_zero_is_the_middle_whatever_the_values_are(palette: Palette) -> None:
    assert diverging(palette)[1] == [0.5, palette.zero]
    assert strength(0.0, 7.0) == 0.0
    assert strength(-2.0, 7.0) == -strength(2.0, 7.0)


@palettes
def test_words_can_be_read_on_every_ground(palette: Palette) -> None:
    for words in (palette.ink, palette.muted, palette.accent, palette.warn):
        for ground in (palette.page, palette.panel, palette.soft):
            assert contrast(words, ground) >= READABLE, (words, ground)
    assert contrast(palette.on_accent, palette.accent) >= READABLE
