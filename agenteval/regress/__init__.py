"""Regression checks of parsers: one corpus, one exam, any parser."""
