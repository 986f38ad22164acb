"""What only one room may do: read time, open sockets, write files, speak, hash; and what none may."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.modules import Complaint, House, Module

TIME_OWNERS = {"clock"}
SOCKET_OWNERS = {"client", "server"}
WRITERS = {"store"}
SPEAKERS = {"cli"}
HASHERS = {"canonical"}
HASH_MODULES = {"hashlib", "hmac"}
CHECKSUMS = {"zlib.crc32", "zlib.adler32", "binascii.crc32"}  # zlib itself may be used to pack
ASYNC_ROOMS = {
    *("clock", "server", "client", "simulator", "run", "load", "regress", "diagnose", "doctor", "selftest"),
    *("replay", "cli"),
}
ASYNC_PROTOCOLS = {"wire"}  # may describe what is awaited, and await nothing

SOCKET_MODULES = {
    *("socket", "ssl", "socketserver", "http.client", "http.server", "urllib.request"),
    *("httptools", "uvicorn", "starlette", "openai", "httpx", "httpx2", "requests", "aiohttp", "websockets"),
}
SOCKET_CALLS = {
    *("open_connection", "open_unix_connection", "start_server", "start_unix_server"),
    *("create_connection", "create_unix_connection", "create_server", "create_unix_server"),
    *("create_datagram_endpoint", "sock_connect"),
}
DATETIME_READERS = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
}
PATH_WRITERS = {
    *("write_text", "write_bytes", "mkdir", "rmdir", "touch", "unlink", "rename", "chmod"),
    *("symlink_to", "hardlink_to"),
}
WRITING_FUNCTIONS = re.compile(
    r"os\.(open|write|fdopen|mkdir|makedirs|remove|removedirs|unlink|rename|renames|replace|rmdir|link|symlink"
    r"|truncate|chmod|utime)|(shutil|tempfile)\.\w+"
)
SPEAKING_NAMES = re.compile(
    r"sys\.(exit|argv|stdout|stderr|stdin)(\.\w+)*|os\.(environ|environb|getenv|putenv|unsetenv|_exit)(\.\w+)*"
)
SPEAKING_MODULES = {"click", "argparse", "getopt", "getpass"}
SPEAKING_BUILTINS = {"print", "input", "exit", "quit", "SystemExit"}
UNSEEDED = re.compile(r"secrets(\.\w+)*|uuid\.uuid[14]|os\.urandom|random\.(?!Random$)\w+")
PROCESS_OWNERS = {"server", "regress"}
PROCESS_CALLS = {"create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"}
BACK_DOORS = {
    *("subprocess", "threading", "concurrent.futures", "multiprocessing", "sqlite3", "logging", "warnings", "ctypes"),
}


def is_from(target: str, modules: set[str]) -> bool:
    """Whether an imported name is one of these modules or comes from inside one."""
    return any(target == module or target.startswith(module + ".") for module in modules)


def only_clock_reads_time_or_sleeps(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in TIME_OWNERS:
        return
    for found in module.imports:
        if is_from(found.target, {"time"}):
            yield found.line, f"imports {found.target}"
    for name, node in module.uses:
        if name in DATETIME_READERS or name == "asyncio.sleep":
            yield node.lineno, f"uses {name}"
    for call in module.calls:
        if re.search(r"(get_running_loop|get_event_loop)\(\)\.time$|(\b|_)loop\.time$", ast.unparse(call.func)):
            yield call.lineno, "reads an event loop's time"


def only_client_and_server_open_sockets(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in SOCKET_OWNERS:
        return
    for found in module.imports:
        if is_from(found.target, SOCKET_MODULES):
            yield found.line, f"imports {found.target}"
    for call in module.calls:
        function = (module.full_name(call.func) or ast.unparse(call.func)).rpartition(".")[2]
        if function in SOCKET_CALLS:
            yield call.lineno, f"calls {function}"


def only_store_writes_files(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in WRITERS:
        return
    for call in module.calls:
        if opens_for_writing(call):
            yield call.lineno, "opens a file for writing"
        elif WRITING_FUNCTIONS.fullmatch(module.full_name(call.func)):
            yield call.lineno, f"calls {module.full_name(call.func)}"
        elif isinstance(call.func, ast.Attribute) and writes_a_path(call.func.attr, call):
            yield call.lineno, f"calls .{call.func.attr}()"


def opens_for_writing(call: ast.Call) -> bool:
    """open(name, mode), path.open(mode), gzip.open(name, mode); a mode that is no literal counts too."""
    if isinstance(call.func, ast.Name) and call.func.id == "open":
        modes = call.args[1:2]
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "open":
        modes = [arg for arg in call.args[:2] if isinstance(arg, ast.Constant)]
    else:
        return False
    modes += [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    literals = [mode.value if isinstance(mode, ast.Constant) else "w" for mode in modes]
    return any(isinstance(mode, str) and re.fullmatch(r"[rbt]*[wax+][rbt+]*", mode) for mode in literals)


def writes_a_path(method: str, call: ast.Call) -> bool:
    """A method that only paths have. Of the `replace`s, a path's takes one argument without a name."""
    return method in PATH_WRITERS or (method == "replace" and len(call.args) == 1 and not call.keywords)


def only_cli_speaks_and_exits(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in SPEAKERS:
        return
    for found in module.imports:
        if is_from(found.target, SPEAKING_MODULES):
            yield found.line, f"imports {found.target}"
    for name, node in module.uses:
        if SPEAKING_NAMES.fullmatch(name) or name == "rich.print":
            yield node.lineno, f"uses {name}"
    for word in ast.walk(module.tree):
        if isinstance(word, ast.Name) and word.id in SPEAKING_BUILTINS:
            yield word.lineno, f"uses {word.id}"


def randomness_has_a_seed(module: Module, _: House) -> Iterator[Complaint]:
    for name, node in module.uses:
        if UNSEEDED.fullmatch(name):
            yield node.lineno, f"uses {name}"
    for call in module.calls:
        if module.full_name(call.func) == "random.Random" and not call.args:
            yield call.lineno, "makes a generator without a seed"


def only_canonical_hashes(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in HASHERS:
        return
    for found in module.imports:
        if is_from(found.target, HASH_MODULES | CHECKSUMS):
            yield found.line, f"imports {found.target}"
    for name, node in module.uses:
        if name in CHECKSUMS:
            yield node.lineno, f"uses {name}"


def async_stays_in_its_rooms(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in ASYNC_ROOMS:
        return
    described = protocol_methods(module.tree) if module.room in ASYNC_PROTOCOLS else set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef) and node not in described:
            yield node.lineno, f"async def {node.name}"
        elif isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "awaits"
        elif isinstance(node, ast.comprehension) and node.is_async:
            yield node.target.lineno, "awaits"
    for found in module.imports:
        if is_from(found.target, {"asyncio"}):
            yield found.line, "imports asyncio"


def protocol_methods(tree: ast.Module) -> set[ast.AST]:
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {
        item
        for node in classes
        if any(ast.unparse(base).rpartition(".")[2].startswith("Protocol") for base in node.bases)
        for item in node.body
    }


def nobody_leaves_by_a_back_door(module: Module, _: House) -> Iterator[Complaint]:
    """Processes, threads, databases and logs would go round the rules above.

    The server may start a process, for itself: a client that is measured must not share its loop with what it measures;
    and regress starts other people's parsers, each in a Python of its own.
    """
    for found in module.imports:
        if is_from(found.target, BACK_DOORS):
            yield found.line, f"imports {found.target}"
    for call in module.calls:
        function = (module.full_name(call.func) or ast.unparse(call.func)).rpartition(".")[2]
        if function in PROCESS_CALLS and module.room not in PROCESS_OWNERS:
            yield call.lineno, f"calls {function}"
