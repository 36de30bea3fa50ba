"""What is known of a model: its sizes, its precision, and how exact the engine was measured to be on it."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.words import tiny, visible

Json = Mapping[str, Any]


def model_words(model: Json) -> list[Any]:
    """`model smollm2-mcq 30 × 9 · fp32`, or what state it is in."""
    sizes = model["dimensions"]
    parts = [f"{sizes['n_layers']} × {sizes['n_heads']}"] if sizes else []
    parts.append(_precision(model["dtype"]) if model["state"] == "ready" else model["state"])
    return ["model ", html.B(visible(model["id"])), " " + " · ".join(parts)]


def certificate_words(model: Json) -> list[Any]:
    """The measured agreement of the exact engine with plain hooks."""
    certificate = model["certificate"]
    if certificate is None:
        return ["certificate ", html.B("not yet" if model["state"] in ("absent", "loading") else "none")]
    return ["certificate ", html.B(tiny(certificate["patches"]) if certificate["passed"] else "failed")]


def model_card(model: Json) -> list[Any]:
    """Title, sizes and the three measured differences."""
    rows = [("precision", model["dtype"]), ("device", model["device"]), ("revision", model["revision"])]
    sizes, certificate = model["dimensions"], model["certificate"]
    if sizes:
        heads = f"{sizes['n_heads']} ({sizes['n_kv_heads']} key-value)"
        rows = [
            ("layers", str(sizes["n_layers"])),
            ("heads in a layer", heads),
            ("parameters", f"{sizes['n_parameters'] / 1e6:.1f} million"),
            *rows,
        ]
    if certificate:
        rows += [
            ("logits against transformers", f"{tiny(certificate['logits'])} logits"),
            ("attributions against logits", f"{tiny(certificate['attributions'])} logits"),
            (f"{certificate['n_patches']} patches against hooks", f"{tiny(certificate['patches'])} logits"),
        ]
    body = [html.Tr([html.Th(name, scope="row"), html.Td(value, className="number")]) for name, value in rows]
    return [
        html.H2(visible(model["title"] or model["id"])),
        html.Table(html.Tbody(body), className="table plain"),
    ]


def _precision(dtype: str) -> str:
    return {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}.get(dtype, dtype)
