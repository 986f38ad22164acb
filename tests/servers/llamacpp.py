"""llama.cpp's server with a model whose weights are set by hand: built once, started on loopback, stopped again.

`python -m tests.servers.llamacpp` builds both into `.servers/` (about four minutes on two cores, 500 MB); it takes
cmake and ninja from the package registry, and a C++ compiler of the machine. The tests start what it built, or the
binary that `LLAMA_SERVER` names.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
HOME = HERE.parent.parent / ".servers"
SOURCE = "llama-cpp-python==0.3.36"
BINARY = HOME / "build" / "bin" / "llama-server"
TURN8 = HOME / "turn8.gguf"
FLAGS = [
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
]
MAX_SECONDS = 900
"""A started server ends by itself after so long, whatever becomes of the test."""


def build() -> None:
    """Make the server and the model, unless they are there."""
    tools = HOME / "venv" / "bin"
    if not tools.exists():
        venv.create(HOME / "venv", with_pip=True)
        _run(tools / "pip", "install", "-q", "cmake", "ninja", "scikit-build-core", "gguf", "numpy")
    if not BINARY.exists():
        _build_server(tools)
    if not TURN8.exists():
        template = HERE.parent.parent / "fixtures" / "templates" / "glm_style.jinja"
        _run(tools / "python", HERE / "models" / "mkturn8.py", "--gguf", TURN8, "--template", template)


def _build_server(tools: Path) -> None:
    wanted = ("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", HOME, SOURCE)
    _run(tools / "pip", "download", "-q", *wanted)
    archive = next(HOME.glob("llama_cpp_python-*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(HOME, filter="data")
    source = archive.with_suffix("").with_suffix("") / "vendor" / "llama.cpp"
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    _run(tools / "cmake", "-S", source, "-B", HOME / "build", "-G", "Ninja", *FLAGS, env=environment)
    _run(tools / "cmake", "--build", HOME / "build", "--target", "llama-server", "-j2", env=environment)


def _run(*command: object, env: dict[str, str] | None = None) -> None:
    subprocess.run([str(part) for part in command], check=True, env=env)


@contextmanager
def running(model: Path) -> Iterator[str]:
    """A started server's base URL. Ends the process that it started, and no other."""
    binary = os.environ.get("LLAMA_SERVER", str(BINARY))
    port = _free_port()
    flags = [
        "--host",
        "127.0.0.1",
        "--alias",
        "turn8",
        "--no-ui",
        "-t",
        "1",
        "--jinja",
        "-np",
        "1",
        "-c",
        "16384",
        "-fa",
        "off",
        "-ctk",
        "f32",
        "-ctv",
        "f32",
    ]
    command = ["timeout", str(MAX_SECONDS), binary, "-m", str(model), "--port", str(port), *flags]
    with tempfile_log() as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def tempfile_log() -> Iterator[int]:
    descriptor = os.open(HOME / "llama-server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"llama-server ended with {server.returncode}; see {HOME / 'llama-server.log'}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if json.load(answer).get("status") == "ok":
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("llama-server was not ready after 30 s")


if __name__ == "__main__":
    HOME.mkdir(exist_ok=True)
    build()
    print(f"{BINARY.relative_to(HOME.parent)} and {TURN8.relative_to(HOME.parent)} are there.")
    sys.exit(0)
