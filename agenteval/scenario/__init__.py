"""Scenario files: read with positions, checked, loaded into values, linted, and bound to a seed.

`loader.load_suite` gives scenarios with `${value}` placeholders, `bind.bind` fills them in for one cell, `lint.lint`
names every problem of a suite at once. Not here: what happens when a tool is called (`tools`), and whether a reply
is right (`scoring`). No code runs from a scenario file.
"""
