"""A run's folder: the manifest, the journal of steps, the raw frames. The only room that writes files.

    run.json       what was planned, with what, on what; `status` running → complete | interrupted
    steps.jsonl    one line per model request, appended as it ends
    frames/        the raw stream of every step with times, one gzip file per cell, one member per request
    summary.json   every number that a report shows
    report.md      the report

A step's frames are written before its journal line, and the line ends with a newline: a killed run loses at most
the step in flight, and a torn last line is told apart from a finished step. One process writes a run at a time. When
the disk takes no more, that is said at once, and what is done stays.
"""

from __future__ import annotations

from agenteval.store.disk import DISK, Disk
from agenteval.store.folder import RunFolder, free_folder
from agenteval.store.frames import Place, StoredStep, index_frames, read_frames, recording_at
from agenteval.store.lock import RunLock
from agenteval.store.manifest import Manifest
from agenteval.store.read import StoredRun, find_run, load_run
from agenteval.store.secrets import Secrets

__all__ = [
    "DISK",
    "Disk",
    "Manifest",
    "Place",
    "RunFolder",
    "RunLock",
    "Secrets",
    "StoredRun",
    "StoredStep",
    "find_run",
    "free_folder",
    "index_frames",
    "load_run",
    "read_frames",
    "recording_at",
]
