"""Every security rule of the design has a test under its number, whose docstring says the rule."""

from __future__ import annotations

import ast
import re
from pathlib import Path

RULES = range(1, 24)
FILES = sorted((Path(__file__).parents[1] / "cities").glob("test_rules_of_safety*.py"))


def found() -> dict[str, str]:
    """The tests of rules by their names, each with its docstring."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
    tests = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: ast.get_docstring(node) or "" for node in tests if node.name.startswith("test_")}


def test_every_rule_has_a_test_of_its_number() -> None:
    numbers = {int(match[1]) for name in found() if (match := re.match(r"test_rule_([0-9]{2})_", name))}
    assert numbers == set(RULES)


def test_each_test_says_its_rule() -> None:
    assert not {name for name, said in found().items() if not re.match(rf"{int(name[10:12])}: \w", said)}
