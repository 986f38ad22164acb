"""llama.cpp's chat parsers as a program: our driver, linked with the libraries of the server of `tests.servers`."""

from __future__ import annotations

import shutil
from pathlib import Path

from agenteval.regress.adapters import DRIVERS
from tests.servers import llamacpp
from tests.servers.home import HOME, once, run

PLACE = HOME / "parsers-llamacpp"
PROGRAM = PLACE / "llamacpp_driver"
SOURCE = DRIVERS / "llamacpp_driver.cpp"
LIBRARIES = (
    *("common/libllama-common.a", "common/libllama-common-base.a", "src/libllama.a", "ggml/src/libggml.a"),
    *("ggml/src/libggml-cpu.a", "ggml/src/libggml-base.a", "vendor/hash/libvendor-hash.a"),
    "vendor/cpp-httplib/libcpp-httplib.a",
)


def program() -> Path:
    """The driver, built if it is not there (a minute, and four for the server that it shares its libraries with)."""
    llamacpp.install()
    once("parsers-llamacpp", (llamacpp.SOURCE, SOURCE.read_text(encoding="utf-8")), _build)
    return PROGRAM


def _build() -> None:
    there = llamacpp.source()
    PLACE.mkdir(exist_ok=True)
    shutil.copytree(there / "models" / "templates", PLACE / "templates", dirs_exist_ok=True)
    headers = [f"-I{there / name}" for name in ("common", "vendor", "include", "ggml/include")]
    libraries = [HOME / "build" / name for name in LIBRARIES]
    run("c++", "-O1", "-DGGML_USE_CPU", *headers, SOURCE, "-o", PROGRAM, *libraries, "-ldl", "-lm", "-lpthread")
