"""A picture says where it is from, in the way of its own format, and is otherwise the same picture."""

import re
import struct
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from frontend.provenance import Origin, labelled
from tests.frontend.stored import HOSTILE

ORIGIN = Origin("Path effects: L0H1", f"Effects of −2.66 logits {HOSTILE}\0", "http://127.0.0.1:8050/f/abc")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="3"><rect width="3"/></svg>'
PDF = (
    b"%PDF-1.4\n1 0 obj\n<</Title (Other)>>\nendobj\n2 0 obj\n<<>>\nendobj\n"
    b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000043 00000 n \n"
    b"trailer\n<</Size 3\n/Root 2 0 R\n/Info 1 0 R>>\nstartxref\n64\n%%EOF\n"
)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = (
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")
)


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        name, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        (digest,) = struct.unpack(">I", content[at + 8 + size : at + 12 + size])
        assert digest == zlib.crc32(name + data)
        yield name, data
        at += 12 + size


def test_an_svg_has_title_and_description_as_text() -> None:
    root = ElementTree.fromstring(labelled(SVG, "svg", ORIGIN))
    title, words, rect = root
    assert title.text == ORIGIN.title and rect.get("width") == "3"
    assert HOSTILE in (words.text or "") and (words.text or "").endswith(ORIGIN.link)


def test_a_png_has_text_after_its_header() -> None:
    found = list(chunks(labelled(PNG, "png", ORIGIN)))
    assert [name for name, _ in found] == [b"IHDR", b"iTXt", b"iTXt", b"iTXt", b"IEND"]
    told = dict(data.split(b"\0\0\0\0\0", 1) for name, data in found if name == b"iTXt")
    assert told[b"Source"].decode() == ORIGIN.link
    assert told[b"Description"].decode().startswith("Effects of −2.66 logits")


def test_a_pdf_gets_another_description_that_its_table_finds() -> None:
    new = labelled(PDF, "pdf", ORIGIN)
    assert new.startswith(PDF)
    (table,) = re.findall(rb"startxref\s+(\d+)\s+%%EOF\s*$", new)
    found = re.match(rb"xref\n0 1\n0000000000 65535 f \n1 1\n(\d{10}) 00000 n \n", new[int(table) :])
    assert found
    described = new[int(found[1]) :]
    title = re.match(rb"1 0 obj\n<</Title <FEFF([0-9A-F]+)>", described)
    assert title and bytes.fromhex(title[1].decode()).decode("utf-16-be") == ORIGIN.title
    assert b"/Prev 64" in described and b"/Root 2 0 R" in described


@pytest.mark.parametrize("form", ["svg", "pdf"])
def test_what_is_built_otherwise_stays_as_it_is(form: str) -> None:
    assert labelled(b"something else", form, ORIGIN) == b"something else"
