"""Models whose weights are set by hand, written when they are needed into `.servers/models/`.

`turn8` calls tools until its prompt has a known length, `silent` never; `glm` and `oss` are Markov chains in the
formats of GLM and gpt-oss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from tests.servers import llamacpp, sglang, vllm
from tests.servers.home import CHECKOUT, HERE, HOME, once, run

Name = Literal["turn8", "silent", "glm", "oss", "llama-oss"]
Form = Literal["gguf", "hf"]

RECIPES = HERE / "models"
TEMPLATE = CHECKOUT / "fixtures" / "templates" / "glm_style.jinja"
VOCABULARY = CHECKOUT / "agenteval" / "data" / "o200k_base.tiktoken"


MADE_FROM: Mapping[Name, tuple[str, ...]] = {
    "turn8": ("mkturn8.py", "turn8_play.py", "glmfiles.py"),
    "silent": ("mkturn8.py", "turn8_play.py", "glmfiles.py"),
    "glm": ("mkglm.py", "glm_chain.py", "glmfiles.py"),
    "oss": ("mkoss.py", "oss_chain.py", "oss_style.jinja"),
    "llama-oss": ("mkoss.py", "oss_chain.py", "oss_style.jinja"),
}


BY_NUMPY: Mapping[Name, tuple[str, ...]] = {
    "turn8": ("mkturn8.py",),
    "silent": ("mkturn8.py", "--nstar", "20", "--tau", "4"),
    "glm": ("mkglm.py",),
}
"""Models that need no torch → the script and its options."""


def place(name: Name, form: Form) -> Path:
    return HOME / "models" / (f"{name}.gguf" if form == "gguf" else name)


def write(name: Name, form: Form) -> None:
    """Write a model, unless it is there and its recipe has not changed."""
    recipe = [(RECIPES / file).read_text() for file in MADE_FROM[name]]
    path = place(name, form)
    path.parent.mkdir(parents=True, exist_ok=True)
    once(f"models/{path.name}", recipe, lambda: _write(name, form, path))


def _write(name: Name, form: Form, path: Path) -> None:
    if name in BY_NUMPY:
        llamacpp.install_tools()
        script, *options = BY_NUMPY[name]
        run(llamacpp.PYTHON, RECIPES / script, f"--{form}", path, "--template", TEMPLATE, *options)
    elif form == "hf":
        kind = "llama" if name == "llama-oss" else "gpt-oss"
        run(_python_with_torch(), RECIPES / "mkoss.py", path, "--vocabulary", VOCABULARY, "--as", kind)
    else:
        write(name, "hf")
        llama = {"LLAMA_CPP_SRC": str(llamacpp.source()), "OT": "bf16"}
        run(_python_with_torch(), RECIPES / "togguf.py", place(name, "hf"), path, "gpt-4o", more_environment=llama)


def has_torch() -> bool:
    return bool(_environments_with_torch())


def _environments_with_torch() -> Sequence[Path]:
    return [python for python in (vllm.BIN / "python", sglang.BIN / "python") if python.exists()]


def _python_with_torch() -> Path:
    return _environments_with_torch()[0]
