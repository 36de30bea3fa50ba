"""Where a picture is from, written into the picture: title, caption and permalink in SVG, PNG and PDF."""

import re
import struct
import zlib
from dataclasses import dataclass
from html import escape

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
PNG_HEAD = 33  # bytes of the signature and of the header chunk, which comes first
INFO = re.compile(rb"/Info (\d+) 0 R")
TRAILER = re.compile(rb"trailer\s*<<(?P<entries>.*?)>>\s*startxref\s+(?P<before>\d+)\s+%%EOF\s*$", re.DOTALL)


@dataclass(frozen=True)
class Origin:
    """What a picture shows and where it can be looked at again."""

    title: str
    caption: str
    link: str


def labelled(content: bytes, form: str, origin: Origin) -> bytes:
    """The same picture that says where it is from. What is not built as expected stays as it is."""
    told = Origin(*(UNSEEN.sub(" ", text) for text in (origin.title, origin.caption, origin.link)))
    return {"svg": _svg, "png": _png, "pdf": _pdf}[form](content, told)


def _svg(content: bytes, origin: Origin) -> bytes:
    said = escape(f"{origin.caption} {origin.link}")
    words = f"<title>{escape(origin.title)}</title><desc>{said}</desc>"
    return re.sub(rb"<svg\b[^>]*(?<!/)>", lambda found: found[0] + words.encode(), content, count=1)


def _png(content: bytes, origin: Origin) -> bytes:
    named = {"Title": origin.title, "Description": origin.caption, "Source": origin.link}
    chunks = b"".join(_chunk(name, text) for name, text in named.items())
    return content[:PNG_HEAD] + chunks + content[PNG_HEAD:]


def _chunk(keyword: str, text: str) -> bytes:
    """A text chunk in UTF-8: neither packed nor in a named language."""
    data = b"iTXt" + keyword.encode() + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


def _pdf(content: bytes, origin: Origin) -> bytes:
    """An update at the end, as the format foresees: another description takes the place of the first."""
    trailer = TRAILER.search(content)
    info = INFO.search(trailer["entries"]) if trailer else None
    if not trailer or not info:
        return content
    fields = {
        "Title": origin.title,
        "Subject": origin.caption,
        "Keywords": origin.link,
        "Creator": "headscope",
    }
    entries = b" ".join(f"/{name} {_text(text)}".encode() for name, text in fields.items())
    start = len(content) + 1
    new = b"\n%s 0 obj\n<<%s>>\nendobj\n" % (info[1], entries)
    table = b"xref\n0 1\n0000000000 65535 f \n%s 1\n%010d 00000 n \n" % (info[1], start)
    ends = b"trailer\n<<%s\n/Prev %s>>\nstartxref\n%d\n%%%%EOF\n"
    return content + new + table + ends % (trailer["entries"], trailer["before"], len(content) + len(new))


def _text(text: str) -> str:
    """A text of a PDF, as UTF-16 in hexadecimal."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"
