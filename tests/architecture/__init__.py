"""The house rules that no linter knows, read from the package's own source: floors, late imports, monopolies.

Each rule looks at one module and yields (line, what is wrong there). Each is tested twice: that the package
keeps it, and that it catches code which does not. Not covered: what is reached by getattr, or through an
object that somebody else made (a `write` on a handed-in file).
"""
