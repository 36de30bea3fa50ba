"""How much memory is free, wherever the limit is: the machine, the container, the process or the device.

And what is said where that is too little, before or while something is computed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_STATUS = Path("/proc/self/status")
_UNLIMITED = 2**60  # what version 1 of cgroups writes for no limit is near 2**63
PLENTY = 2**50
LESS = (
    "shorter prompts (fewer options or answered examples) need less, and so does a smaller "
    "HEADSCOPE_PASS_MEMORY_MB"
)


def available_bytes(device: str) -> int:
    """What a computation on this device may still take before something fails; `PLENTY` where nobody says."""
    accelerator: Any = getattr(torch, torch.device(device).type, None)
    if hasattr(accelerator, "mem_get_info"):
        return accelerator.mem_get_info(device)[0]
    return max(0, min(_limits(), default=PLENTY))


def in_words(n_bytes: float) -> str:
    """`3.1 GB`, `420 MB`."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 0.95e9 else f"{max(1, round(n_bytes / 1e6))} MB"


def ran_out_of_memory(failure: BaseException) -> bool:
    """Whether Python, torch or a device had no memory left. Torch says so on a CPU in words only."""
    if isinstance(failure, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(failure, RuntimeError) and "allocate memory" in str(failure)


def too_little(needed: float, free: float) -> str:
    """One sentence with both numbers, and what to reduce."""
    return f"This needs about {in_words(needed)} of memory, and {in_words(free)} are free: {LESS}."


def _limits() -> Iterator[int]:
    """Of all limits that there are, what is left."""
    machine = _field(_MEMINFO, "MemAvailable")
    if machine is not None:
        yield machine
    yield from _left_in_container(_CGROUP, "memory.max", "memory.current", "inactive_file")
    yield from _left_in_container(
        _CGROUP / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
    )
    if resource is None:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    used = _field(_STATUS, "VmSize")
    if limit != resource.RLIM_INFINITY and used is not None:
        yield limit - used


def _left_in_container(folder: Path, limit: str, used: str, reclaimable: str) -> Iterator[int]:
    try:
        most, now = int((folder / limit).read_text()), int((folder / used).read_text())
        kept = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such version of cgroups here, or `max`
        return
    if most < _UNLIMITED:
        yield most - now + int(kept.get(reclaimable, 0))


def _field(path: Path, name: str) -> int | None:
    """A line such as `MemAvailable:   123 kB`, in bytes."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(found[0]) * 1024 if found else None
