"""A lifecycle is a table from (state, step) to the next state, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Generic, TypeVar

from parvis.base.errors import Refused

State = TypeVar("State", bound=Enum)
Step = TypeVar("Step", bound=Enum)


class Lifecycle(Generic[State, Step]):
    """The states a thing goes through; each state can be reached, and exactly the named ends have no way out."""

    def __init__(self, table: Mapping[tuple[State, Step], State], start: State, ends: frozenset[State]) -> None:
        self.table = MappingProxyType(dict(table))
        self.start = start
        self.ends = ends
        self._check()

    def step(self, state: State, step: Step) -> State:
        """The state after this step, refused if the step is not possible now."""
        after = self.table.get((state, step))
        if after is None:
            raise Refused("not_now", state=state.value, step=step.value)
        return after

    def steps(self, state: State) -> list[Step]:
        """The steps possible in this state, in the order of the table."""
        return [step for (before, step) in self.table if before == state]

    def diagram(self) -> str:
        """The table as a Mermaid state diagram."""
        moves = [f"{before.name} --> {after.name}: {step.name}" for (before, step), after in self.table.items()]
        ends = [f"{state.name} --> [*]" for state in type(self.start) if state in self.ends]
        return "\n    ".join(["stateDiagram-v2", f"[*] --> {self.start.name}", *moves, *ends]) + "\n"

    def _check(self) -> None:
        """A table with a state nobody reaches, or that holds things for ever unannounced, is a mistake in the code."""
        unreached = set(type(self.start)) - self._reached()
        if unreached:
            raise ValueError(f"no way leads to {_names(unreached)}")
        stuck = set(type(self.start)) - {before for before, _ in self.table}
        if stuck != self.ends:
            raise ValueError(f"without way out: {_names(stuck)}; named as ends: {_names(self.ends)}")

    def _reached(self) -> set[State]:
        reached, new = {self.start}, {self.start}
        while new:
            new = {after for (before, _), after in self.table.items() if before in new} - reached
            reached |= new
        return reached


def _names(states: set[State] | frozenset[State]) -> str:
    return ", ".join(sorted(state.name for state in states)) or "none"
