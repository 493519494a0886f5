"""What commands with ``--json`` and the HTTP API answer: these keys are a promise. What people see is drawn from the same values.

Moments (``_at``) are ISO 8601 in UTC; ``_ms`` are milliseconds; what is not known yet is null. ``schema`` names the document
and its version: a key is only ever added within a version.
"""
