"""`agenteval scenario new` and `show`, as a person types them."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from agenteval.errors import UsageError
from agenteval.report.scenario import render_scenario
from agenteval.scenario import bundled_root, lint, load_suite
from agenteval.scenario.starter import starter
from agenteval.script import Scenario
from agenteval.store.starter import write_new
from agenteval.thinking import MODES
from tests import warm
from tests.scenario.files import SMALL, spoilt, write


def agenteval(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "AGENTEVAL_"))}
    return warm.run("agenteval", *arguments, cwd=cwd, environment={**clean, "COLUMNS": "80"})


# --- new ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("new")
    return folder, agenteval("scenario", "new", "my-first", "--out", "own/suite", cwd=folder)


def test_a_new_file_is_named_on_stdout(new: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = new
    assert (done.returncode, done.stdout) == (0, "own/suite/my-first.yaml\n")
    assert "agenteval run own/suite/my-first.yaml" in done.stderr
    assert (folder / "own/suite/my-first.yaml").is_file()


def test_a_new_file_lints_clean_under_its_own_name(new: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    suite = str(new[0] / "own/suite")
    assert lint(suite) == []
    assert [item.name for item in load_suite(suite).scenarios] == ["my-first"]


def test_a_new_file_runs_at_once(new: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    for profile in ("healthy", "glm47-4x-spark"):
        done = agenteval("run", "own/suite/my-first.yaml", "--profile", profile, cwd=new[0])
        assert done.returncode == 0, done.stdout + done.stderr
    assert "3/3" in done.stdout


def test_a_new_file_tells_editors_where_the_schema_is(new: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder = new[0] / "own/suite"
    first = (folder / "my-first.yaml").read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found
    assert not found[1].startswith("/")
    assert (folder / found[1]).resolve() == bundled_root() / "schema.json"


def test_a_new_file_explains_itself() -> None:
    text = starter("x", Path())
    assert text.count(" # ") + text.count("\n# ") >= 15
    assert all(len(line) <= 120 for line in text.splitlines()[1:])


def test_a_file_that_is_there_stays(new: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    path = new[0] / "own/suite/taken.yaml"
    path.write_text("mine", encoding="utf-8")
    done = agenteval("scenario", "new", "taken", "--out", "own/suite", cwd=new[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: own/suite/taken.yaml is already there and stays as it is; choose another name or --out\n"
    )
    assert path.read_text(encoding="utf-8") == "mine"
    path.unlink()


@pytest.mark.parametrize("name", ["My-First", "../x", "a/b", "x.yaml", "", "-x", "x\n", "ä", "x" * 65])
def test_a_name_that_no_scenario_may_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a scenario: small letters, digits and dashes"):
        starter(name, Path())


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is already there"):
        write_new(tmp_path / "a.yaml", "x")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for folder in ("file", "file/deeper"):
        with pytest.raises(UsageError, match=r"cannot write .*; choose another --out"):
            write_new(tmp_path / folder / "a.yaml", "x")


# --- show ---------------------------------------------------------------------------------------------------


def scenario(name: str) -> Scenario:
    return load_suite(name).scenarios[0]


def shown(name: str, family: str = "glm47", **options: int) -> str:
    return render_scenario(
        scenario(name),
        seed=options.get("seed", 0),
        thinking="on" if family == "harmony" else "off",
        turn=options.get("turn") or None,
        family=family,
    )


def test_what_a_model_sees_is_shown_with_its_tokens() -> None:
    text = shown("thinking-modes")
    for part in (
        "system · 14 tokens\n    You are a home assistant. Use the tools to answer.\n",
        "  read_sensor · ",
        '{"type": "object", "properties": {"room": {"type": "string", "enum":\n',
        "turn 1 · first request 196 tokens: 32 messages + 164 tools\n",
        "  user · 14 tokens\n      How warm is it in the kitchen, in celsius?\n",
        '      read_sensor {"room": "kitchen", "unit": "celsius"}\n',
        '      {"celsius":20.5,"window":"closed"}\n',
        "      It is 20.5 °C in the kitchen, and the window is closed.\n",
    ):
        assert part in text, part


def rows_of(text: str) -> list[list[int]]:
    """The table at the end, as numbers."""
    lines = text[text.index("   turn     user") :].splitlines()[1:]
    return [[int(cell.replace(",", "")) for cell in line.split()] for line in lines]


def test_the_parts_add_up_to_the_running_context() -> None:
    rows = rows_of(shown("ten-turn-repo"))
    assert [row[0] for row in rows] == list(range(1, 11))
    for before, row in pairwise(rows):
        assert row[5] - before[5] == sum(before[2:5]) + row[1]
    assert len({row[6] - row[5] for row in rows}) == 1


@pytest.mark.parametrize(
    ("family", "profile", "thinking"), [("glm47", "healthy", "off"), ("harmony", "gpt-oss-120b-spark", "on")]
)
def test_the_context_is_that_of_a_run(family: str, profile: str, thinking: str, tmp_path: Path) -> None:
    """On the embedded endpoint, whose tokens are the same; with the same seed, golden history differs in no token."""
    options = ("--thinking", thinking, "--profile", profile, "--seed", "5")
    done = agenteval("run", "thinking-modes", *options, cwd=tmp_path)
    lines = [line.split() for line in done.stdout.splitlines() if re.match(r" +\d+ +\d+ +\d+ ", line)]
    assert [line[:3] for line in lines] == [
        [str(row[0]), str(row[5]), str(row[6])] for row in rows_of(shown("thinking-modes", family, seed=5))
    ]
    text = agenteval("scenario", "show", "thinking-modes", "--family", family, "--seed", "5", cwd=tmp_path).stdout
    assert text == shown("thinking-modes", family, seed=5)


def test_values_are_those_of_the_seed() -> None:
    one, other = shown("support-desk", seed=1), shown("support-desk", seed=2)
    assert "${" not in one
    assert one != other
    assert one == shown("support-desk", seed=1)
    for found in re.findall(r"\w+ = ([A-Z]+-?\d+)", one):
        assert one.count(found) > 1, found
        assert found not in other


def test_one_turn_is_shown_alone_and_as_in_the_whole() -> None:
    whole, alone = shown("ten-turn-repo"), shown("ten-turn-repo", turn=7)
    turn = alone[alone.index("turn 7 · ") :]
    assert turn in whole
    assert "turn 6 · " not in alone
    assert "system · " not in alone


@pytest.mark.parametrize("name", ["ten-turn-repo", "thinking-modes", "support-desk", "trip-planner"])
@pytest.mark.parametrize("thinking", MODES)
def test_no_line_is_wider_than_a_terminal(name: str, thinking: str) -> None:
    mode = next(mode for mode in MODES if mode == thinking)
    text = render_scenario(scenario(name), seed=0, thinking=mode)
    assert max(map(len, text.splitlines())) <= 80
    assert f"thinking {thinking}" in text.splitlines()[0]


def test_nothing_of_a_long_text_is_lost() -> None:
    """Wrapping breaks lines, and takes nothing away."""
    text = shown("ten-turn-repo", turn=6)
    user = scenario("ten-turn-repo").turns[5].user
    assert len(user) > 3000
    assert "".join(user.split()) in "".join(text.split())


def test_strangers_text_cannot_reach_the_terminal_raw(tmp_path: Path) -> None:
    text = spoilt("user: Read a.py.", 'user: "\\e[2JRead\\u202e a.py."').replace(
        "description: Read a file.", 'description: "\\e]0;x\\aRead"'
    )
    text = text.replace("name: small\n", 'name: small\ndescription: "\\e[31mred"\nsystem: "\\rYou"\n')
    done = agenteval("scenario", "show", write(tmp_path, {"a.yaml": text}), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.stdout)
    for spelled in ("\\x1b[31mred", "\\x0dYou", "\\x1b]0;x\\x07Read", "\\x1b[2JRead\\x202e a.py."):
        assert spelled in done.stdout
    listed = agenteval("scenario", "list", str(tmp_path), cwd=tmp_path)
    assert "\\x1b[31mred" in listed.stdout


def test_a_broken_file_is_not_shown_but_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": spoilt("name: read_file, ", "name: read_fil, ")})
    done = agenteval("scenario", "show", "a.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a.yaml:27:29: turns[0].expect.calls[0].name: there is no tool 'read_fil'" in done.stderr


def test_a_turn_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": SMALL, "b.yaml": spoilt("name: small", "name: more") + "  - user: And now?\n"})
    done = agenteval("scenario", "show", ".", "--turn", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "turn 3 · " in done.stdout
    assert "small · " not in done.stdout
    done = agenteval("scenario", "show", ".", "--turn", "4", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: . has no turn 4: its longest scenario has 3\n"
    with pytest.raises(UsageError, match="thinking-modes has 2 turns, and no turn 9"):
        shown("thinking-modes", turn=9)


def test_help_leads_from_the_first_file_to_the_reference(tmp_path: Path) -> None:
    done = agenteval("scenario", "--help", cwd=tmp_path)
    for word in ("agenteval scenario new my-first", "lint", "show", "FORMAT.md", "schema.json"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
