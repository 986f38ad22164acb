"""SGLang on a CPU, without its compiled kernels: two minutes, 2.6 GB.

Its wheel asks for CUDA packages, yet its Python falls back to torch where a kernel is missing. So it is installed with
`--no-deps`, on a list of what it really imports, and with a `sgl_kernel` whose functions raise when called. Not real:
kernels, overlap scheduling. Real: HTTP, templates, radix cache, scheduler, detokenizer, grammar, parsers, metrics.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.servers.home import HERE, HOME, new_environment, once, run, site_packages

PARTS = HERE / "sglang_parts"
PINNED = ("torch==2.13.0",)
OWN = ("sglang==0.5.23", "torchvision==0.28.0")
BIN = HOME / "sglang" / "bin"
ENVIRONMENT: Mapping[str, str] = {"HF_HUB_OFFLINE": "1", "SGLANG_USE_CPU_ENGINE": "1", "OMP_NUM_THREADS": "1"}
FAKE_OPERATORS = re.compile(r'^@torch\.library\.register_fake\("torchvision::(q?nms)"\)', re.MULTILINE)


def install() -> None:
    """Install the server, unless it is there."""
    once("sglang", (OWN, PINNED, *(path.read_text() for path in sorted(PARTS.iterdir()) if path.is_file())), _install)


def _install() -> None:
    pip = new_environment("sglang") / "pip"
    run(pip, "install", "-q", "--no-deps", "-r", PARTS / "requirements.txt", *PINNED)
    run(pip, "install", "-q", "--no-deps", *OWN)
    site = site_packages("sglang")
    (site / "sgl_kernel").mkdir(exist_ok=True)
    shutil.copy(PARTS / "sgl_kernel.py", site / "sgl_kernel" / "__init__.py")
    _without_compiled_operators(site / "torchvision" / "_meta_registrations.py")


def _without_compiled_operators(path: Path) -> None:
    """torchvision describes operators of its compiled part, which a CPU torch cannot load: only if they are there."""
    text = FAKE_OPERATORS.sub(
        r'@(torch.library.register_fake("torchvision::\1") if torchvision.extension._has_ops() else (lambda f: f))',
        path.read_text(),
    )
    path.write_text(text)


def command(model: Path, name: str, port: int, key: str) -> list[str]:
    start = [str(BIN / "python"), "-m", "sglang.launch_server", "--model-path", str(model), "--served-model-name", name]
    served = ["--host", "127.0.0.1", "--port", str(port), "--api-key", key]
    on_cpu = ["--device", "cpu", "--attention-backend", "torch_native", "--disable-cuda-graph", "--dtype", "float32"]
    flags = ["--disable-overlap-schedule", "--skip-server-warmup", "--enable-metrics", "--enable-cache-report"]
    sizes = ["--max-total-tokens", "65536", "--context-length", "8192"]
    return [*start, *served, *on_cpu, *flags, *sizes]
