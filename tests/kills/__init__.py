"""Runs that are killed at any byte, gone on with, and compared with runs that nobody disturbed."""
