"""Classification: what was declared wins, every failure has a class, and the known ones have the right one."""

import errno
import http.client
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import urllib.error
from concurrent.futures.process import BrokenProcessPool

import httpx
import pytest
import sqlalchemy.exc
from deltalake.exceptions import CommitFailedError, SchemaMismatchError
from hypothesis import given
from hypothesis.strategies import builds, integers, lists, none, one_of, sampled_from, text

from ostinato.decide.classify import Classified, classify
from ostinato.decide.known_failures import CODES, ERRNOS, EXCEPTIONS, EXIT_CODES, HTTP, SIGNALS, SQLSTATES
from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure

TRANSIENT, RESOURCE, LOGIC = ErrorClass.TRANSIENT, ErrorClass.RESOURCE, ErrorClass.LOGIC
HOWS = ["raised", "exited", "killed", "timed_out", "out_of_memory", "unstorable", "unloadable", "lost"]

failures = builds(
    Failure,
    how=sampled_from(HOWS),
    message=text(max_size=20),
    types=lists(one_of(sampled_from(sorted(EXCEPTIONS)), text(max_size=9)), max_size=4).map(tuple),
    declared=one_of(none(), sampled_from(["transient", "resource", "logic", "unheard of"])),
    code=one_of(none(), sampled_from(sorted(CODES)), text(max_size=9)),
    http_status=one_of(none(), integers(100, 599)),
    sqlstate=one_of(none(), sampled_from(["40001", "HY000", "23505", "08006"])),
    errno=one_of(none(), integers(-10, 200)),
    exit_code=one_of(none(), integers(-70, 255)),
)


def raised(error: BaseException, **facts) -> Failure:
    """An exception as an executor reports it, by its classes."""
    types = tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__[:-1])
    return Failure(how="raised", types=types, **facts)


@given(failures)
def test_every_failure_has_a_class_and_a_rule_that_can_be_read(failure):
    classified = classify(failure)
    assert classified.error_class in ErrorClass
    assert classified.rule
    assert classified.rule.isprintable()


@given(failures)
def test_what_the_exception_declares_decides(failure):
    if failure.declared in set(ErrorClass):
        assert classify(failure) == Classified(
            ErrorClass(failure.declared), f"the exception declares {failure.declared}"
        )


@given(failures, text())
def test_the_message_never_decides(failure, message):
    reworded = Failure(**{name: getattr(failure, name) for name in failure.__struct_fields__} | {"message": message})
    assert classify(reworded) == classify(failure)


def test_what_no_rule_knows_is_a_logic_error():
    assert classify(raised(ValueError("odd"))) == Classified(LOGIC, "no rule says that trying again helps")


@pytest.mark.parametrize(
    ("how", "error_class", "rule"),
    [
        ("timed_out", RESOURCE, "out of time"),
        ("out_of_memory", RESOURCE, "out of memory"),
        ("lost", RESOURCE, "agent lost"),
        ("unstorable", LOGIC, "result not storable"),
        ("unloadable", LOGIC, "code not loadable"),
    ],
)
def test_how_an_attempt_ended_decides_before_its_exception_does(how, error_class, rule):
    failure = Failure(how=how, types=("builtins.ConnectionError",), http_status=429, exit_code=-9)
    assert classify(failure) == Classified(error_class, rule)


@pytest.mark.parametrize(
    ("how", "code", "error_class", "rule"),
    [
        ("killed", -signal.SIGKILL, RESOURCE, "SIGKILL"),
        ("killed", -signal.SIGTERM, TRANSIENT, "SIGTERM"),
        ("killed", -signal.SIGINT, TRANSIENT, "SIGINT"),
        ("killed", -signal.SIGXCPU, RESOURCE, "SIGXCPU"),
        ("killed", -signal.SIGSEGV, LOGIC, "SIGSEGV"),
        ("killed", -signal.SIGABRT, LOGIC, "SIGABRT"),
        ("killed", -40, LOGIC, "signal 40"),
        ("exited", 137, RESOURCE, "exit code 137 (SIGKILL)"),
        ("exited", 143, TRANSIENT, "exit code 143 (SIGTERM)"),
        ("exited", 139, LOGIC, "exit code 139 (SIGSEGV)"),
        ("exited", 75, TRANSIENT, "exit code 75"),
        ("exited", 1, LOGIC, "exit code 1"),
        ("exited", 0, LOGIC, "exit code 0"),
        ("exited", 255, LOGIC, "exit code 255"),
        ("exited", None, LOGIC, "exit code unknown"),
    ],
)
def test_how_a_process_ended(how, code, error_class, rule):
    assert classify(Failure(how=how, exit_code=code)) == Classified(error_class, rule)


@pytest.mark.parametrize(
    ("error", "error_class", "rule"),
    [
        (ConnectionResetError(), TRANSIENT, "exception ConnectionError"),
        (TimeoutError(), TRANSIENT, "exception TimeoutError"),
        (socket.gaierror(), TRANSIENT, "exception socket.gaierror"),
        (ssl.SSLError(), TRANSIENT, "exception ssl.SSLError"),
        (ssl.SSLCertVerificationError(), LOGIC, "exception ssl.SSLCertVerificationError"),
        (http.client.IncompleteRead(b""), TRANSIENT, "exception http.client.IncompleteRead"),
        (http.client.RemoteDisconnected(), TRANSIENT, "exception ConnectionError"),
        (urllib.error.URLError("no"), TRANSIENT, "exception urllib.error.URLError"),
        (httpx.ConnectError("no"), TRANSIENT, "exception httpx.TransportError"),
        (httpx.ReadTimeout("no"), TRANSIENT, "exception httpx.TransportError"),
        (httpx.PoolTimeout("no"), RESOURCE, "exception httpx.PoolTimeout"),
        (httpx.UnsupportedProtocol("no"), LOGIC, "exception httpx.UnsupportedProtocol"),
        (sqlalchemy.exc.OperationalError("", {}, ValueError()), TRANSIENT, "exception sqlalchemy.exc.OperationalError"),
        (sqlalchemy.exc.TimeoutError(), RESOURCE, "exception sqlalchemy.exc.TimeoutError"),
        (CommitFailedError(), TRANSIENT, "exception _internal.CommitFailedError"),
        (MemoryError(), RESOURCE, "exception MemoryError"),
        (BrokenProcessPool(), RESOURCE, "exception concurrent.futures.process.BrokenProcessPool"),
        (subprocess.TimeoutExpired("true", 1), RESOURCE, "exception subprocess.TimeoutExpired"),
        (SchemaMismatchError(), LOGIC, "no rule says that trying again helps"),
        (sqlite3.OperationalError(), LOGIC, "no rule says that trying again helps"),
        (FileNotFoundError(), LOGIC, "no rule says that trying again helps"),
        (KeyError("x"), LOGIC, "no rule says that trying again helps"),
    ],
)
def test_known_exceptions_under_the_names_that_they_really_have(error, error_class, rule):
    assert classify(raised(error)) == Classified(error_class, rule)


def test_the_most_special_class_decides():
    special = ("mine.Odd", "httpx.PoolTimeout", "httpx.TransportError", "builtins.Exception")
    assert classify(Failure(how="raised", types=special)).error_class is RESOURCE


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, LOGIC),
        (404, LOGIC),
        (408, TRANSIENT),
        (425, TRANSIENT),
        (429, RESOURCE),
        (500, TRANSIENT),
        (501, LOGIC),
        (502, TRANSIENT),
        (503, RESOURCE),
        (504, TRANSIENT),
        (507, RESOURCE),
        (599, TRANSIENT),
    ],
)
def test_http_statuses(status, error_class):
    failure = Failure(how="raised", types=("requests.exceptions.ConnectionError",), http_status=status)
    assert classify(failure) == Classified(error_class, f"HTTP {status}")


def test_an_http_status_that_is_no_error_decides_nothing():
    assert classify(raised(ConnectionError(), http_status=200)).rule == "exception ConnectionError"


@pytest.mark.parametrize(
    ("state", "error_class"),
    [
        ("08006", TRANSIENT),
        ("40001", TRANSIENT),
        ("40P01", TRANSIENT),
        ("40002", LOGIC),
        ("53100", RESOURCE),
        ("53300", RESOURCE),
        ("57014", RESOURCE),
        ("57P01", TRANSIENT),
        ("57P03", TRANSIENT),
        ("57P04", LOGIC),
        ("55P03", TRANSIENT),
        ("23505", LOGIC),
        ("28P01", LOGIC),
        ("42P01", LOGIC),
    ],
)
def test_sqlstates_decide_before_the_exception_does(state, error_class):
    failure = Failure(how="raised", types=("psycopg.OperationalError",), sqlstate=state)
    assert classify(failure) == Classified(error_class, f"SQLSTATE {state}")


def test_a_driver_that_knows_no_sqlstate_leaves_it_to_the_exception():
    failure = Failure(how="raised", types=("pymysql.err.OperationalError",), sqlstate="HY000")
    assert classify(failure) == Classified(TRANSIENT, "exception pymysql.err.OperationalError")


@pytest.mark.parametrize(
    ("number", "error_class", "rule"),
    [
        (errno.ENOSPC, RESOURCE, "errno ENOSPC"),
        (errno.EDQUOT, RESOURCE, "errno EDQUOT"),
        (errno.EMFILE, RESOURCE, "errno EMFILE"),
        (errno.ENOMEM, RESOURCE, "errno ENOMEM"),
        (errno.EHOSTUNREACH, TRANSIENT, "errno EHOSTUNREACH"),
        (errno.EBUSY, TRANSIENT, "errno EBUSY"),
        (errno.ENOENT, LOGIC, "no rule says that trying again helps"),
        (errno.EACCES, LOGIC, "no rule says that trying again helps"),
        (-3, LOGIC, "no rule says that trying again helps"),
    ],
)
def test_errnos_of_the_operating_system(number, error_class, rule):
    assert classify(raised(OSError(number, os.strerror(abs(number))), errno=number)) == Classified(error_class, rule)


def test_an_errno_of_somebody_else_decides_nothing():
    assert classify(Failure(how="raised", types=("mysql.Error",), errno=errno.ENOSPC)).error_class is LOGIC


def test_an_error_code_decides_before_the_http_status_it_came_with():
    failure = Failure(
        how="raised", types=("botocore.exceptions.ClientError",), code="ThrottlingException", http_status=400
    )
    assert classify(failure) == Classified(RESOURCE, "error code ThrottlingException")


def test_an_unknown_error_code_leaves_it_to_the_http_status():
    assert classify(Failure(how="raised", code="NoSuchKey", http_status=404)) == Classified(LOGIC, "HTTP 404")


@pytest.mark.parametrize("table", [CODES, ERRNOS, EXCEPTIONS, EXIT_CODES, HTTP, SIGNALS, SQLSTATES])
def test_every_entry_of_every_table_is_a_class(table):
    assert table
    assert set(table.values()) <= set(ErrorClass)
