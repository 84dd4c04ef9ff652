"""The sections of the report: each makes markup of what was measured."""
