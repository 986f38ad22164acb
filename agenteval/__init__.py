"""Find out why tool-calling agents break on self-hosted GLM-4.x and gpt-oss servers."""

__version__ = "0.1.0"
