"""Stands in for SGLang's compiled kernels: any that is looked up exists, and raises when called."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

__version__ = "0.4.10"


class _Kernel:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> _Kernel:
        return _looked_up(name, f"{self._name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(f"sgl_kernel is not there: {self._name}")


def _looked_up(name: str, full_name: str) -> _Kernel:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Kernel(full_name)


def __getattr__(name: str) -> _Kernel:
    return _looked_up(name, name)


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> _Kernel:
        return _looked_up(name, name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Every `sgl_kernel.…` is a module."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.startswith("sgl_kernel.") else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = _Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


sys.meta_path.append(_Finder())
