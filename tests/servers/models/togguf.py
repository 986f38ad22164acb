"""llama.cpp's own converter with a fixed name for the pre-tokenizer: it cannot know our vocabulary by its hash.

togguf.py HF_DIR OUT.gguf PRE        LLAMA_CPP_SRC: llama.cpp's sources; OT: the type of the weights
"""

import os
import sys

source = os.environ["LLAMA_CPP_SRC"]
sys.path[:0] = [source, f"{source}/gguf-py"]
folder, out, pre = sys.argv[1:4]

import conversion.base  # noqa: E402
import convert_hf_to_gguf  # noqa: E402

conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
sys.argv = ["convert", folder, "--outfile", out, "--outtype", os.environ.get("OT", "f32")]
convert_hf_to_gguf.main()
