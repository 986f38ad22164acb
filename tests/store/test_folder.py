"""A run's folder: what is written can be read again, also after a kill, and holds no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agenteval.errors import UsageError
from agenteval.masked import MASK
from agenteval.outcome import Finding, StepRecord
from agenteval.store import Manifest, RunFolder, Secrets, find_run, free_folder, load_run, read_frames
from agenteval.store.secrets import named_texts
from agenteval.wire import Recording
from tests.records import record

SECRET = "sk-very-secret-key"


def manifest(run: str = "20260101-000000-test") -> Manifest:
    return Manifest(
        run=run,
        status="running",
        created_at="2026-01-01T00:00:00.000Z",
        plan={},
        options={},
        endpoint={"simulated": True},
        scenarios={"s": "sha256:0"},
        versions={},
    )


def written(out: Path, *records: StepRecord, recording: Recording | None = None) -> RunFolder:
    folder = RunFolder.create(out / "run", manifest(), Secrets(SECRET, ()))
    for item in records:
        folder.append(item, recording)
    folder.close()
    return folder


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    records = (record(turn=1), record(turn=2, findings=(Finding("no_tool_call", "nöthing", "$.a"),)))
    folder = written(tmp_path, *records)
    assert load_run(folder.path).records == records


def test_frames_come_back_byte_for_byte(tmp_path: Path) -> None:
    cut_inside_a_character = Recording(
        200, (("content-type", "text/event-stream"),), ((5, b"data: \xc3"), (9, b"\xa4\n\n"))
    )
    folder = written(tmp_path, record(turn=1), record(turn=2), recording=cut_inside_a_character)
    frames = read_frames(folder.path, record().cell)
    assert [step.recording for step in frames.values()] == [cut_inside_a_character] * 2


@pytest.mark.parametrize("keep", [0, 1, 10, -1])
def test_a_torn_last_line_loses_only_itself(tmp_path: Path, keep: int) -> None:
    folder = written(tmp_path, record(turn=1), record(turn=2))
    journal = folder.path / "steps.jsonl"
    whole = journal.read_bytes()
    first = whole.index(b"\n") + 1
    torn = whole[:-1] if keep == -1 else whole[: first + keep]
    journal.write_bytes(torn)
    assert load_run(folder.path).records == (record(turn=1),)


def test_a_torn_frame_member_loses_only_itself(tmp_path: Path) -> None:
    recording = Recording(200, (), ((1, b"x" * 100),))
    folder = written(tmp_path, record(turn=1), record(turn=2), recording=recording)
    path = folder.path / "frames" / f"{record().cell}.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-30])
    assert list(read_frames(folder.path, record().cell)) == [record(turn=1).id]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path, record(turn=1))
    with (folder.path / "steps.jsonl").open("ab") as journal:
        journal.write(b'{"schema": "no"}\n')
    with pytest.raises(UsageError, match=r"steps\.jsonl:2"):
        load_run(folder.path)


def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    leaky = record(findings=(Finding("endpoint_error", f"server said: bad key {SECRET}"),))
    folder = written(tmp_path, leaky, recording=Recording(401, (), ((1, f"no: {SECRET}".encode()),)))
    folder.write_summary({"note": SECRET})
    folder.write_report("report.md", SECRET)
    assert SECRET not in repr(read_frames(folder.path, leaky.cell))
    for path in folder.path.iterdir():
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path.name


def test_a_place_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="--out"):
        free_folder(blocked, "run")


def test_runs_are_found_by_id_folder_and_latest(tmp_path: Path) -> None:
    older, newer = (
        RunFolder.create(tmp_path / run, manifest(run), Secrets(None, ()))
        for run in ("20260101-000000-a", "20260102-000000-b")
    )
    older.close()
    newer.close()
    assert find_run("latest", tmp_path) == newer.path
    assert find_run("20260101-000000-a", tmp_path) == older.path
    assert find_run(str(older.path), tmp_path) == older.path
    with pytest.raises(UsageError, match="latest"):
        find_run("nope", tmp_path)
    with pytest.raises(UsageError, match="agenteval run"):
        find_run("latest", tmp_path / "empty")


@pytest.mark.parametrize("key", [SECRET, 'pa"ss\\wo"rd12345'])
def test_secrets_are_found_in_every_spelling(tmp_path: Path, key: str) -> None:
    whole = f"data: {json.dumps({'error': key})}\n\n".encode()
    at = whole.index(key[:2].encode()) + 5
    recording = Recording(200, (("x-echo", f"Bearer {key}"),), ((1, whole[:at]), (2, whole[at:])))
    folder = RunFolder.create(tmp_path / "run", manifest(), Secrets(None, (("Authorization", f"Bearer {key}"),)))
    folder.append(record(findings=(Finding("endpoint_error", f"bad key {key}"),)), recording)
    folder.close()
    (frames,) = read_frames(folder.path, record().cell).values()
    body = b"".join(chunk for _, chunk in frames.recording.chunks)
    assert len(body) == len(whole)
    for text in (body.decode(), repr(frames.recording.headers), (folder.path / "steps.jsonl").read_text()):
        assert key not in text
        assert json.dumps(key)[1:-1] not in text


@pytest.mark.parametrize("length", range(12, len(SECRET) + 1))
def test_a_secret_of_which_only_the_beginning_is_left_is_masked(length: int) -> None:
    secrets = Secrets(SECRET, ())
    assert secrets.text(f"HTTP 500: it is {SECRET[:length]} (attempt 1)") == "HTTP 500: it is [secret] (attempt 1)"
    assert secrets.text(f"{SECRET}{SECRET[:length]} sk-") == "[secret][secret] sk-"


def test_secrets_are_found_however_deep_they_stand_in_a_body() -> None:
    body = {
        "auth_token": "secret-on-top",
        "nested": {"password": "secret-inside", "top_k": 4, "note": "no such thing"},
        "servers": [{"api_key": "secret-in-a-list"}, {"secrets": ["secret-by-name-above"]}],
    }
    masked = Secrets(None, named_texts(body)).value(body)
    assert "secret-" not in json.dumps(masked)
    assert masked["nested"] == {"password": MASK, "top_k": 4, "note": "no such thing"}


def test_only_secrets_are_masked(tmp_path: Path) -> None:
    """A harmless header whose value is a word of our own files tears nothing apart."""
    folder = RunFolder.create(tmp_path / "run", manifest(), Secrets("EMPTY", (("X-Team", "scenarios"),)))
    folder.append(record(), None)
    folder.close()
    assert load_run(folder.path).records == (record(),)


def test_a_member_torn_in_its_first_bytes_loses_only_itself(tmp_path: Path) -> None:
    folder = written(tmp_path, record(turn=1), recording=Recording(200, (), ((1, b"x"),)))
    with (folder.path / "frames" / f"{record().cell}.jsonl.gz").open("ab") as frames:
        frames.write(b"\x1f")
    assert list(read_frames(folder.path, record().cell)) == [record(turn=1).id]


def test_requests_come_back_whole(tmp_path: Path) -> None:
    """They are kept as what each adds to the one before, and a policy may also take messages away."""
    tools = [{"type": "function"}]
    said = [{"role": "user", "content": str(number)} for number in range(4)]
    bodies: list[dict[str, Any]] = [
        {"model": "m", "messages": said[:1], "tools": tools, "seed": 1},
        {"model": "m", "messages": said[:3], "tools": tools, "seed": 1},
        {"model": "m", "messages": [said[0], said[3]], "seed": 2, "tools": tools},
        {"messages": said, "model": "other"},
    ]
    folder = RunFolder.create(tmp_path / "run", manifest(), Secrets(None, ()))
    for number, body in enumerate(bodies, start=1):
        folder.append(record(turn=number), Recording(200, (), (), request=body))
    folder.close()
    assert [step.request for step in read_frames(folder.path, record().cell).values()] == bodies


def test_a_request_that_was_not_kept_is_none(tmp_path: Path) -> None:
    folder = written(tmp_path, record(), recording=Recording(200, (), ()))
    (step,) = read_frames(folder.path, record().cell).values()
    assert step.request is None
