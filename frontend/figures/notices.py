"""What the page says when something is loading, busy or broken."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.words import count, duration

Json = Mapping[str, Any]


def broken(error: BackendError) -> html.Div:
    """What happened, whether trying again helps, and the id to find it in the log."""
    again = "Trying again may help." if error.may_pass else "Trying again unchanged will not help."
    if error.code == "unreachable":
        again = "The page keeps trying by itself; what is shown stays."
    trace = f"Request {error.request_id}." if error.request_id else ""
    return html.Div(
        [html.P(str(error)), html.P(f"{again} {trace}".strip(), className="note")],
        className="notice broken",
        role="alert",
        **attrs(data_code=error.code),
    )


def warnings(sentences: list[str]) -> list[html.Div]:
    """Warnings of a result: shown, not hidden behind an icon."""
    return [html.Div(sentence, className="notice warning", role="note") for sentence in sentences]


def progress(job: Json, noun: str = "pair") -> str:
    """`12 of 32 pairs, about 8 s left`, the place in the queue, or what is being waited for."""
    if job["state"] == "cancelled":
        return f"Cancelled after {job['done']} of {count(job['total'], noun)}."
    if not job.get("mine", True):
        return "You no longer wait for this; it goes on for somebody else who does."
    left = time_left(job)
    if job["state"] == "queued" and job["queue_position"]:
        return f"Waiting: {count(job['queue_position'], 'job')} before this one{left}."
    done = f"{job['done']} of {count(job['total'], noun)}{left}" if job["total"] else ""
    parts = [done or f"Starting{left}", *([job["message"]] if job["message"] else [])]
    return ", ".join(parts)


def time_left(job: Json) -> str:
    """`, about 8 s left`, where that is known."""
    seconds = job["seconds_left"]
    if seconds is None:
        return ""
    return f", about {duration(seconds)} left" if seconds >= 1 else ", almost done"


def loading_line(model: Json) -> str:
    """What a model is doing before it can be asked."""
    if model["state"] == "ready":
        return ""
    if model["state"] == "failed":
        return model["message"] or f"{model['id']} could not be loaded."
    words = model["message"] or ("Waiting to load" if model["state"] == "absent" else "Loading")
    parts = [f"{model['id']}: {words}"]
    if model["seconds_loading"] is not None:
        parts.append(f"{duration(model['seconds_loading'])} so far")
    if model["seconds_last_time"] is not None:
        parts.append(f"{duration(model['seconds_last_time'])} last time")
    return ", ".join(parts) + "."
