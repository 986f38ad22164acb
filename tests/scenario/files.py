"""Small scenario files to write and to spoil."""

from __future__ import annotations

from pathlib import Path

SMALL = """\
schema: 1
name: small
values: {ticket: {nonce: "BUG-####"}}
world:
  files: {a.py: "see ${ticket}"}
  tickets: {"${ticket}": open}
tools:
  - name: read_file
    description: Read a file.
    parameters:
      type: object
      properties: {path: {type: string}, limit: {type: integer}}
      required: [path]
      additionalProperties: false
    mock:
      - when: {path: {$in: "${world.files}"}}
        returns: "${world.files[args.path]}"
      - error: "no such file: ${args.path}"
  - name: close_ticket
    parameters: {type: object, properties: {id: {type: string}}, required: [id]}
    mock:
      - when: {id: {$in: "${world.tickets}"}}
        set: {"tickets[args.id]": closed}
        returns: {status: closed}
turns:
  - user: Read a.py.
    expect: {calls: [{name: read_file, arguments: {path: a.py}}]}
  - user: Close its ticket.
    expect:
      calls: [{name: close_ticket, arguments: {id: "${ticket}"}}]
      answer: {contains: ["${ticket}"]}
      state: {"tickets[${ticket}]": closed}
"""


def write(folder: Path, files: dict[str, str | bytes]) -> str:
    """Write files below a folder, and name the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder)


def spoilt(old: str, new: str) -> str:
    """The small scenario with one thing changed."""
    assert SMALL.count(old) == 1, f"{old!r} stands there {SMALL.count(old)} times"
    return SMALL.replace(old, new)
