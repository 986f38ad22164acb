"""What a source file imports and uses, as facts for the rules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = "agenteval"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
IMPORTING = (ast.Import, ast.ImportFrom, ast.Call)


@dataclass(frozen=True)
class Import:
    target: str
    line: int
    late: bool  # inside a function


@dataclass(frozen=True)
class Module:
    """One source file, with its imports and the full names of what it uses."""

    name: str
    source: str
    is_package: bool = False

    @property
    def room(self) -> str:
        """The first name below the package; `__main__` belongs to cli, the package's `__init__` to none."""
        parts = self.name.split(".")
        if len(parts) == 1:
            return ROOT
        return "cli" if parts[1] == "__main__" else parts[1]

    @property
    def file(self) -> str:
        return self.name.replace(".", "/") + ("/__init__.py" if self.is_package else ".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def late_nodes(self) -> set[ast.AST]:
        """Everything that stands inside a function."""
        functions = (node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS))
        return {inner for function in functions for inner in ast.walk(function) if inner is not function}

    @cached_property
    def imports(self) -> list[Import]:
        return [
            Import(target, node.lineno, node in self.late_nodes)
            for node in ast.walk(self.tree)
            if isinstance(node, IMPORTING)
            for target in self._targets(node)
        ]

    @cached_property
    def names(self) -> dict[str, str]:
        """Local name → full name, for all that is imported."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.split(".")[0]
                    found[bound] = alias.name if alias.asname else bound
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{self._base(node)}.{alias.name}"
        return found

    @cached_property
    def uses(self) -> list[tuple[str, ast.expr]]:
        """What is used of the imported, by full name: `t.time` after `import time as t` is time.time."""
        found = [(self.full_name(node), node) for node in ast.walk(self.tree) if isinstance(node, ast.expr)]
        return [(name, node) for name, node in found if name]

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def full_name(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def _targets(self, node: ast.Import | ast.ImportFrom | ast.Call) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            return [f"{self._base(node)}.{alias.name}" for alias in node.names]
        if node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func).rpartition(".")[2]
            if function in ("import_module", "__import__"):
                return [str(node.args[0].value)]
        return []

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*parts, node.module] if node.module else parts)


DRIVERS = "agenteval.regress.drivers."
"""Programs for an engine's own Python: they keep rules of their own."""

House = Mapping[str, Module]
Complaint = tuple[int, str]
"""A line, and what is wrong there."""
Rule = Callable[[Module, House], Iterator[Complaint]]


def house_of(package: Path) -> dict[str, Module]:
    """The package's modules; not the drivers."""
    return {name: module for name, module in modules_of(package).items() if not name.startswith(DRIVERS)}


def modules_of(package: Path) -> dict[str, Module]:
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules[name] = Module(name, path.read_text(encoding="utf-8"), is_package)
    return modules
