"""Programs started from a warm interpreter: each is a process of its own, forked from one that has imported everything.

A test of the command line wants a real process, with exit code, signals and files; it does not want to pay a second
for imports and the vocabulary each time. One parent per test process, started with the first program, ended with the
tests. `python -m tests.warm FD` is that parent; what it forks goes on as `python -m MODULE ARGUMENT…` would, but heeds
Ctrl-C also where these tests run as a background job. Not covered: how a cold start goes (tests/test_startup.py).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path
from select import select
from threading import Timer
from typing import IO

import msgspec

ROOT = Path(__file__).parent.parent
VERBS = ("compare", "parsers", "policies", "replay", "report", "run", "scenario", "selftest", "serve")
MOST_BYTES = 1 << 17


@dataclass(frozen=True)
class Program:
    """`max_file`: bytes beyond which no file of it can grow, None for no limit."""

    argv: tuple[str, ...]
    cwd: str
    environment: dict[str, str]
    max_file: int | None = None


@dataclass
class Process:
    """A program under way, in the words of `subprocess.Popen`. Its stdin is empty."""

    args: tuple[str, ...]
    pid: int
    stdout: IO[str]
    stderr: IO[str]
    fate: FileIO
    returncode: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        return self.wait() if self.returncode is not None or select([self.fate], [], [], 0)[0] else None

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self.fate.readline())
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout: float = 60.0) -> tuple[str, str]:
        """What is left of stdout and stderr when it has ended. After `timeout` seconds it is killed."""
        late = Timer(timeout, self.kill)
        late.start()
        with self.stdout, self.stderr, self.fate, ThreadPoolExecutor(2) as pool:
            said, told = pool.map(lambda stream: stream.read(), (self.stdout, self.stderr))
            self.wait()
        late.cancel()
        return said, told


def start(
    module: str,
    *arguments: str,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    max_file: int | None = None,
) -> Process:
    """Start `python -m module arguments` in a folder, with the environment of these tests unless told otherwise."""
    program = Program(
        (module, *arguments), str(cwd), dict(os.environ if environment is None else environment), max_file
    )
    streams = [os.pipe() for _ in ("stdout", "stderr", "fate")]
    socket.send_fds(_parent(), [msgspec.json.encode(program)], [theirs for _, theirs in streams])
    for _, theirs in streams:
        os.close(theirs)
    stdout, stderr, fate = (ours for ours, _ in streams)
    told = FileIO(fate)
    return Process(program.argv, int(told.readline()), os.fdopen(stdout), os.fdopen(stderr), told)


def run(
    module: str,
    *arguments: str,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    max_file: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    process = start(module, *arguments, cwd=cwd, environment=environment, max_file=max_file)
    stdout, stderr = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.wait(), stdout, stderr)


@cache
def _parent() -> socket.socket:
    """A line to the warm interpreter, which ends when this process does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


# --- the warm interpreter ----------------------------------------------------------------------------------------


def serve(line: socket.socket) -> Program | None:
    """Fork for each program asked for. Comes back with it in the fork, and with None when nobody can ask any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, handles, _, _ = socket.recv_fds(line, MOST_BYTES, 3)
        if not message:
            return None
        if os.fork() == 0:
            line.close()
            return _begin(msgspec.json.decode(message, type=Program), *handles)
        for handle in handles:
            os.close(handle)


def _begin(program: Program, stdout: int, stderr: int, fate: int) -> Program:
    """Fork once more: the child becomes the program, and its parent stays to tell its pid and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(fate)
        _become(program, stdout, stderr)
        return program
    os.close(stdout)
    os.close(stderr)
    os.write(fate, b"%d\n" % pid)
    os.write(fate, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _become(program: Program, stdout: int, stderr: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for handle, own in ((null, 0), (stdout, 1), (stderr, 2)):
        os.dup2(handle, own)
        os.close(handle)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(program.cwd)
    os.environ.clear()
    os.environ.update(program.environment)
    sys.argv = list(program.argv)
    if program.max_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (program.max_file, program.max_file))


def _warm_up() -> None:
    for verb in VERBS:
        importlib.import_module(f"agenteval.cli.{verb}")
    for module in ("openai", "uvicorn", "agenteval.client.sdk"):
        importlib.import_module(module)
    importlib.import_module("agenteval.tokens").vocabulary()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        _warm_up()
        found = serve(asked)
    if found is not None:
        runpy.run_module(found.argv[0], run_name="__main__", alter_sys=True)
