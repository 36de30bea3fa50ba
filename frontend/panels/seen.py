"""What a section that is measured on demand keeps in the browser, to show a result again without a press."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from frontend.panels.follow import Answer

Json = dict[str, Any]
REMEMBERED = 40  # results


@dataclass(frozen=True)
class Seen:
    """The job that is followed, the keys of complete results by spec, and the specs asked for and shown."""

    last: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()

    @classmethod
    def read(cls, memory: Mapping[str, Any] | None) -> "Seen":
        """From the page's store."""
        return cls(memory["last"], memory["keys"], tuple(memory["shown"])) if memory else cls()

    @property
    def written(self) -> Json:
        """For the page's store."""
        return {"last": dict(self.last), "keys": dict(self.keys), "shown": list(self.shown)}

    def shows(self, spec: Mapping[str, Any]) -> bool:
        """Whether the complete result for this spec of the section was shown before."""
        return _named(spec) in self.shown

    def followed(self, spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What `look` needs to go on with a spec."""
        key = self.keys.get(_named(spec))
        if key:
            return {"spec": spec, "key": key}
        return self.last if self.last.get("spec") == spec else None

    def after(self, spec: Mapping[str, Any], answer: Answer) -> "Seen":
        """With what an answer to the section's spec adds."""
        seen = replace(self, last=answer.memory)
        if answer.state != "done" or not answer.key or not answer.body:
            return seen
        keys = {**self.keys, _named(answer.spec or spec): answer.key}
        shown = dict.fromkeys((*self.shown, _named(spec)))
        return replace(seen, keys=dict(list(keys.items())[-REMEMBERED:]), shown=tuple(shown)[-REMEMBERED:])


def _named(spec: Mapping[str, Any]) -> str:
    """A short name that only equal specs share; the store travels with every look at a job."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
