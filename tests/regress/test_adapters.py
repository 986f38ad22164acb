"""Parsers outside: programs, functions and servers, good ones and bad ones."""

from __future__ import annotations

import json
import re
import shlex
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agenteval.errors import EndpointError, UsageError
from agenteval.parsers import CallDelta, ContentDelta, ParsedCall, ParsedMessage
from agenteval.regress.adapters import DRIVEN, Workshop, opened
from agenteval.regress.check import Options, check, rewritten
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.pipes import Piped
from agenteval.regress.subject import Question, SubjectError
from tests.parsers.tools import TOOLS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUESTION = Question(TOOLS)
GLM47 = Workshop(family="glm47", limit_s=1.0)
CASES = {case.name: case for case in load_corpus(bundled_corpus(), ["glm47"])}


def program(mode: str) -> str:
    return f"command:{shlex.join([sys.executable, str(HERE / 'programs.py'), mode])}"


# --- programs -------------------------------------------------------------------------------------------------


def test_a_program_answers() -> None:
    with opened([program("good")], GLM47) as (subject,):
        assert subject.whole(QUESTION, "Hi 😀") == ParsedMessage("", "Hi 😀")
        assert subject.stream(QUESTION, ("H", "", "i")).feeds == ((ContentDelta("H"),), (), (ContentDelta("i"),), ())
        assert subject.version == "bad 1.0"


@pytest.mark.parametrize(
    ("mode", "kind", "detail"),
    [
        ("crash", "crashed", "the program ended with exit code 3\nTraceback: IndexError in the parser"),
        ("hang", "hung", "no answer within 1 s"),
        ("error", "raised", "KeyError: 'name'"),
        ("garbage", "crashed", "not an answer of the protocol"),
        ("short", "crashed", "Expected `str | null`, got `int`"),
        ("late", "crashed", "an answer to question 0, not to 2"),
    ],
)
def test_a_program_that_fails_is_a_finding_and_begins_again(mode: str, kind: str, detail: str) -> None:
    with opened([program(mode)], GLM47) as (subject,):
        assert subject.whole(QUESTION, "Hi").content == "Hi"
        with pytest.raises(SubjectError) as found:
            subject.whole(QUESTION, "boom")
        assert found.value.kind == kind
        assert detail in found.value.detail
        assert subject.whole(QUESTION, "Hi again").content == "Hi again"


def test_the_run_goes_on_behind_a_crash() -> None:
    words = CASES["content-only"]
    with opened([program("crash")], GLM47) as (subject,):
        paper = check(subject, [rewritten(words, "boom"), words], Options("quick"))
    assert [failure.kind for _, failure in paper.failures] == ["crashed"]
    assert "IndexError in the parser" in paper.failures[0][1].detail
    assert paper.results[-1].failures == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("glm47", "'glm47' is no parser's name: expected ENGINE:FAMILY"),
        ("agenteval:glm74", "agenteval:glm74 has no parser for 'glm74'; there are: glm45"),
        ("vllm:glm47", "vllm needs the Python in which it is installed: --python vllm=PATH/bin/python"),
        ("llamacpp:glm47", "llamacpp needs its driver, which `make test-engines` builds: --python llamacpp=PATH"),
        ("vllm@old:glm47", "--python vllm@old=PATH/bin/python"),
        ("nowhere.such:parse", "nowhere.such:parse: neither an engine nor a module"),
        ("json:nothing", "the module json has no function nothing"),
        ("command:./nothing-here", "cannot start ./nothing-here"),
        ("command:'", "cannot be read"),
    ],
)
def test_a_name_that_means_nothing_is_a_sentence(name: str, message: str) -> None:
    with pytest.raises(UsageError) as found, opened([name], GLM47) as subjects:
        subjects[0].whole(QUESTION, "Hi")
    assert message in str(found.value)


def test_a_parser_that_does_not_say_its_family_needs_one() -> None:
    with pytest.raises(UsageError, match="give --family"), opened([program("good")], Workshop()):
        pass


def test_an_engine_that_is_not_there_is_a_sentence() -> None:
    with (
        pytest.raises(UsageError, match="gives no answer to the first line"),
        opened(["sglang:glm47"], Workshop({"": sys.executable})),
    ):
        pass


def test_engines_name_families_that_there_are() -> None:
    for names in DRIVEN.values():
        assert set(names) <= {case.family for case in load_corpus(bundled_corpus())}


def test_the_example_of_the_readme_passes_where_it_can(tmp_path: Path) -> None:
    page = (ROOT / "tests/regress/README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found
    assert len(found[1].splitlines()) <= 20
    (tmp_path / "example.py").write_text(found[1])
    command = f"command:{shlex.join([sys.executable, str(tmp_path / 'example.py')])}"
    cases = [CASES[name] for name in ("content-only", "zero-arguments", "text-before-a-call", "five-calls-at-once")]
    with opened([command], GLM47) as (subject,):
        paper = check(subject, cases, Options("quick", shrinking=False))
    assert [result.case.name for result in paper.results if result.whole] == ["content-only", "zero-arguments"]


# --- functions ------------------------------------------------------------------------------------------------


def test_a_function_is_a_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_parsers.py").write_text(
        "def parse(pieces, tools, thinking):\n"
        "    if 'boom' in pieces: raise ValueError('no')\n"
        "    if 'odd' in pieces: return [1]\n"
        "    if 'exit' in pieces: raise SystemExit(0)\n"
        "    call = {'index': 0, 'name': tools[0]['function']['name'], 'arguments': '{}'}\n"
        "    return [[{'content': piece}] for piece in pieces] + [[call]]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with opened(["my_parsers:parse"], GLM47) as (subject,):
        assert subject.whole(QUESTION, "Hi") == ParsedMessage("", "Hi", (ParsedCall("get", "{}"),))
        assert subject.stream(QUESTION, ("Hi",)).deltas == [ContentDelta("Hi"), CallDelta(0, "get", "{}")]
        for text, message in (("boom", "ValueError: no"), ("odd", "not what was asked for"), ("exit", "SystemExit")):
            with pytest.raises(SubjectError, match=message):
                subject.whole(QUESTION, text)


@pytest.mark.parametrize("text", ["def parse(:", "raise SystemExit(0)", "1 / 0"])
def test_a_module_that_cannot_be_imported_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    name = f"unfit_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(UsageError, match=f"importing {name} fails"), opened([f"{name}:parse"], GLM47):
        pass


@pytest.mark.parametrize("first", ["", "import os; os.close(0); "])
def test_a_program_that_does_not_start_is_told_of_before_anything_is_examined(first: str) -> None:
    """Whether it reads our first line or not."""
    name = f"command:{shlex.join([sys.executable, '-c', f'{first}raise SystemExit(7)'])}"
    with pytest.raises(UsageError, match=r"gives no answer to the first line[^x]*exit code 7"), opened([name], GLM47):
        pass


# --- servers --------------------------------------------------------------------------------------------------


class ParseEndpoints(BaseHTTPRequestHandler):
    """What SGLang's two endpoints answer, for one kind of call."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = 200
        said: dict[str, object] = {}
        if "bye" in asked["text"]:
            return
        if "boom" in asked["text"]:
            status, said = 400, {"message": "bad text"}
        elif self.path == "/separate_reasoning":
            thought, _, rest = asked["text"].removeprefix("<think>").rpartition("</think>")
            said = {"reasoning_text": thought, "text": rest}
        elif self.path == "/parse_function_call":
            name = asked["tools"][0]["function"]["name"]
            said = {"normal_text": asked["text"], "calls": [{"tool_index": 0, "name": name, "parameters": "{}"}]}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ParseEndpoints) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_a_servers_parse_endpoints_are_a_parser(server: str) -> None:
    thinking = Question(TOOLS, thinking=True)
    with opened([server], GLM47) as (subject,):
        said = subject.whole(thinking, "So</think>Hi")
        assert said == ParsedMessage("So", "Hi", (ParsedCall("get", "{}"),))
        assert not subject.traits.streams
        with pytest.raises(SubjectError, match="HTTP 400: bad text"):
            subject.whole(thinking, "boom")


def test_a_server_that_is_not_there_is_told_of_before_anything_is_examined() -> None:
    with pytest.raises(EndpointError), opened(["http://127.0.0.1:9"], GLM47):
        pass


def test_a_server_that_breaks_off_fails_this_case_and_no_other(server: str) -> None:
    words = CASES["content-only"]
    with opened([server], GLM47) as (subject,):
        paper = check(subject, [rewritten(words, "bye"), words], Options("quick"))
    assert [(result.case.raw, failure.kind) for result, failure in paper.failures][:1] == [("bye", "crashed")]
    assert all(failure.kind != "crashed" for failure in paper.results[1].failures)


def test_a_stream_under_the_clock_says_how_long_its_parser_took() -> None:
    with opened([program("timed"), program("good")], GLM47) as (timed, untimed):
        assert isinstance(timed, Piped)
        assert isinstance(untimed, Piped)
        stream, seconds = timed.timed(QUESTION, ("a", "b", "c"), limit_s=2.0)
        assert (stream.message.content, seconds) == ("ab", 2.0)
        with pytest.raises(SubjectError, match="needs `feeds` and `seconds`"):
            untimed.timed(QUESTION, ("a",), limit_s=2.0)
