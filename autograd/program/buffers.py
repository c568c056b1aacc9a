"""Which arrays may share memory: one whose last use is over, and one that comes after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from .statements import Buffer, Ref, Statement


def shared(values: Sequence[Statement], reverse: Sequence[Statement], result: Ref) -> dict[Buffer, Buffer]:
    """For each buffer that may share memory the one whose memory it takes, itself if it needs new memory.

    The result may not, nor what ``reverse`` needs of ``values``.
    """
    kept = {ref.buffer for it in reverse for ref in (*it.args, it.out) if isinstance(ref, Ref)} | {result.buffer}
    passing = {it.out.buffer for it in values if it.out.buffer.made and not it.out.buffer.ones} - kept
    statements = [*values, *reverse]
    last: dict[Buffer, int] = {}
    for i, it in enumerate(statements):
        for ref in (*it.args, it.out):
            if isinstance(ref, Ref) and (ref.buffer.shared or ref.buffer in passing):
                last[ref.buffer] = i
    memory: dict[Buffer, Buffer] = {}
    free: dict[Any, list[Buffer]] = defaultdict(list)
    for i, it in enumerate(statements):
        operands = {ref.buffer: None for ref in it.args if isinstance(ref, Ref)}
        ending = [x for x in operands if last.get(x) == i and x is not it.out.buffer]
        elementwise = isinstance(getattr(np, str(it.function), None), np.ufunc)
        new = it.out.buffer
        if new in last and new not in memory:
            kind = new.dims, new.mask
            in_place = [x for x in ending if (x.dims, x.mask) == kind and elementwise]
            if in_place:
                memory[new] = memory[in_place[0]]
                ending.remove(in_place[0])
            else:
                memory[new] = free[kind].pop() if free[kind] else new
        for x in ending:
            free[x.dims, x.mask].append(memory[x])
        if last.get(new) == i and new in memory:
            free[new.dims, new.mask].append(memory[new])
    return memory
