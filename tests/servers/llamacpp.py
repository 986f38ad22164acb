"""llama.cpp's server, built from the source package of llama-cpp-python: about four minutes on two cores, 500 MB.

It takes cmake and ninja from the package registry, and a C++ compiler of the machine. `LLAMA_SERVER` names another
binary.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from tests.servers.home import HOME, new_environment, once, run

SOURCE = "llama-cpp-python==0.3.36"
TOOLS = ("cmake==4.4.4", "ninja==1.13.2", "scikit-build-core==1.1.2", "gguf==0.19.0", "numpy==2.4.6")
BINARY = HOME / "build" / "bin" / "llama-server"
PYTHON = HOME / "venv" / "bin" / "python"
"""Of the tools' environment; it writes the models that need no torch, too."""
FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_CXX_FLAGS_RELEASE=-O1",
    "-DCMAKE_C_FLAGS_RELEASE=-O1",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DGGML_NATIVE=ON",
    "-DGGML_OPENMP=OFF",
    "-DGGML_LLAMAFILE=OFF",
)


def install() -> None:
    """Build the server, unless it is there."""
    install_tools()
    if "LLAMA_SERVER" not in os.environ:
        once("llamacpp", (SOURCE, FLAGS), _build)


def install_tools() -> None:
    once("tools", TOOLS, lambda: run(new_environment("venv") / "pip", "install", "-q", *TOOLS))


def source() -> Path:
    """llama.cpp's own sources, with its converter."""
    return next(HOME.glob("llama_cpp_python-*/vendor/llama.cpp"))


def _build() -> None:
    tools = PYTHON.parent
    run(
        tools / "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", HOME, SOURCE
    )
    with tarfile.open(next(HOME.glob("llama_cpp_python-*.tar.gz"))) as archive:
        archive.extractall(HOME, filter="data")
    path = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    build = HOME / "build"
    run(tools / "cmake", "-S", source(), "-B", build, "-G", "Ninja", *FLAGS, more_environment=path)
    run(tools / "cmake", "--build", build, "--target", "llama-server", "-j2", more_environment=path)


def command(model: Path, name: str, port: int, key: str) -> list[str]:
    """One thread: with two on two cores several slots wait for each other."""
    binary = os.environ.get("LLAMA_SERVER", str(BINARY))
    flags = ["--no-ui", "-t", "1", "--jinja", "--metrics"]
    return [
        binary,
        "-m",
        str(model),
        "--alias",
        name,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--api-key",
        key,
        *flags,
    ]
