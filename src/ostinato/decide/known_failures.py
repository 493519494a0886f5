"""What is known about failures of this world: one table for each kind of key, each entry a reason to try again or not."""

import errno
import signal
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from ostinato.model.errors import ErrorClass

K = TypeVar("K")


def _table(
    *, transient: Iterable[K] = (), resource: Iterable[K] = (), logic: Iterable[K] = ()
) -> Mapping[K, ErrorClass]:
    classes = ((transient, ErrorClass.TRANSIENT), (resource, ErrorClass.RESOURCE), (logic, ErrorClass.LOGIC))
    entries = [(key, error_class) for keys, error_class in classes for key in keys]
    assert len(dict(entries)) == len(entries), "a key is listed twice"
    return dict(entries)


SIGNALS: Final[Mapping[int, ErrorClass]] = _table(
    # somebody wants the process gone, not the work: a machine that shuts down, a terminal that closes
    transient=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
    # the kernel when memory runs out, and what exceeds a limit of processor time or file size
    resource=(signal.SIGKILL, signal.SIGXCPU, signal.SIGXFSZ),
    # everything else, SIGSEGV and SIGABRT first of all, is a fault of the code
)
"""By number of the signal that ended a process; what is not listed is logic."""

EXIT_CODES: Final[Mapping[int, ErrorClass]] = _table(
    transient=(75,),  # EX_TEMPFAIL of sysexits.h: "the user is invited to retry"
)
"""By exit code; what is not listed is logic. Codes over 128 that mean a signal are looked up there."""

HTTP: Final[Mapping[int, ErrorClass]] = _table(
    transient=(408, 425),  # the connection was too slow, or the server too early for this request
    # "not now": an immediate retry of a throttled request is refused again and prolongs the throttling (429), a server
    # that is overloaded or in maintenance says "after some delay" (503), and full stores (507, 509, 529) need room
    resource=(429, 503, 507, 509, 529),
    logic=(501, 505, 506, 508, 510, 511),  # what the server cannot do it will not learn
)
"""By HTTP status from 400 up; other 5xx are transient, other 4xx are logic."""

SQLSTATES: Final[Mapping[str, ErrorClass]] = _table(
    transient=(
        "08",  # connection exception
        "40",  # transaction rollback: serialization failure (40001), deadlock (40P01), and the like
        "25P03",  # idle in transaction for too long: the server closed the session
        "55006",  # object in use
        "55P03",  # lock not available
        "57P01",  # the server shuts down
        "57P02",  # the server crashed
        "57P03",  # the server starts up
        "57P05",  # the session was idle for too long
    ),
    resource=(
        "53",  # insufficient resources: disk full, out of memory, too many connections
        "57014",  # the query was cancelled: most often by the server's time limit
        "58",  # system error outside of the database: input, output, files
    ),
    logic=(
        "40002",  # rolled back because a constraint does not hold: it will not hold next time
        "58P01",  # undefined file
        "58P02",  # duplicate file
    ),
)
"""By whole SQLSTATE or its class; what is not listed is logic."""

ERRNOS: Final[Mapping[int, ErrorClass]] = _table(
    transient=(
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.EPIPE,
        errno.ESHUTDOWN,
        errno.ESTALE,
        errno.ETIMEDOUT,
    ),
    resource=(
        errno.EADDRNOTAVAIL,  # all ports for outgoing connections are taken
        errno.EDQUOT,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOLCK,
        errno.ENOMEM,
        errno.ENOSPC,
    ),
)
"""By errno of an OSError; what is not listed says nothing."""

CODES: Final[Mapping[str, ErrorClass]] = _table(
    transient=(
        # AWS
        "IDPCommunicationError",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestTimeout",
        "RequestTimeoutException",
        # Azure
        "OperationTimedOut",
        # gRPC, Databricks
        "ABORTED",
        "DEADLINE_EXCEEDED",
        "INTERNAL_ERROR",
        "UNAVAILABLE",
        "TEMPORARILY_UNAVAILABLE",
        # Delta on Spark: another writer was faster
        "DELTA_CONCURRENT_APPEND",
        "DELTA_CONCURRENT_DELETE_DELETE",
        "DELTA_CONCURRENT_DELETE_READ",
        "DELTA_CONCURRENT_TRANSACTION",
        "DELTA_CONCURRENT_WRITE",
        "DELTA_METADATA_CHANGED",
    ),
    resource=(
        # AWS: too much, too fast
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        # Azure
        "ServerBusy",
        "TooManyRequests",
        # gRPC, Databricks
        "QUOTA_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
    ),
)
"""By error code as the system that raised it spells it; what is not listed says nothing."""

EXCEPTIONS: Final[Mapping[str, ErrorClass]] = _table(
    transient=(
        # the connection
        "builtins.ConnectionError",
        "builtins.TimeoutError",
        "builtins.InterruptedError",
        "socket.gaierror",
        "socket.herror",
        "ssl.SSLError",
        "http.client.BadStatusLine",
        "http.client.IncompleteRead",
        "urllib.error.ContentTooShortError",
        "urllib.error.URLError",
        "ftplib.error_temp",
        "smtplib.SMTPConnectError",
        "smtplib.SMTPServerDisconnected",
        "aiohttp.client_exceptions.ClientConnectionError",
        "aiohttp.client_exceptions.ClientPayloadError",
        "httpx.TransportError",
        "requests.exceptions.ChunkedEncodingError",
        "requests.exceptions.ConnectionError",
        "requests.exceptions.Timeout",
        "urllib3.exceptions.HTTPError",
        "paramiko.ssh_exception.NoValidConnectionsError",
        "redis.exceptions.ConnectionError",
        "redis.exceptions.TimeoutError",
        "pymongo.errors.AutoReconnect",
        # clouds
        "azure.core.exceptions.ServiceRequestError",
        "azure.core.exceptions.ServiceResponseError",
        "botocore.exceptions.ConnectionError",
        "botocore.exceptions.HTTPClientError",
        "databricks.sdk.errors.platform.DeadlineExceeded",
        "databricks.sdk.errors.platform.InternalError",
        "databricks.sdk.errors.platform.TemporarilyUnavailable",
        "google.api_core.exceptions.ServerError",
        "google.auth.exceptions.TransportError",
        # databases that gave no SQLSTATE: as a rule there was no connection to get one from
        "psycopg.OperationalError",
        "psycopg2.OperationalError",
        "asyncpg.exceptions.PostgresConnectionError",
        "pymysql.err.OperationalError",
        "MySQLdb.OperationalError",
        "MySQLdb._exceptions.OperationalError",
        "mysql.connector.errors.OperationalError",
        "oracledb.exceptions.OperationalError",
        "pyodbc.OperationalError",
        "snowflake.connector.errors.OperationalError",
        "sqlalchemy.exc.DisconnectionError",
        "sqlalchemy.exc.OperationalError",
        # another writer was faster
        "_duckdb.TransactionException",
        "_internal.CommitFailedError",  # deltalake, whose classes say that they live there
        "py4j.protocol.Py4JNetworkError",
    ),
    resource=(
        "builtins.MemoryError",
        "concurrent.futures.process.BrokenProcessPool",
        "subprocess.TimeoutExpired",
        "_duckdb.OutOfMemoryException",
        "torch.OutOfMemoryError",
        "torch.cuda.OutOfMemoryError",
        "ray.exceptions.NodeDiedError",
        "ray.exceptions.OutOfMemoryError",
        "ray.exceptions.WorkerCrashedError",
        "httpx.PoolTimeout",
        "psycopg_pool.PoolTimeout",
        "psycopg_pool.TooManyRequests",
        "sqlalchemy.exc.TimeoutError",
        "asyncpg.exceptions.InsufficientResourcesError",
        "databricks.sdk.errors.platform.RequestLimitExceeded",
        "databricks.sdk.errors.platform.ResourceExhausted",
        "databricks.sdk.errors.platform.TooManyRequests",
        "google.api_core.exceptions.ResourceExhausted",
        "google.api_core.exceptions.ServiceUnavailable",
        "google.api_core.exceptions.TooManyRequests",
    ),
    logic=(
        # among what looks like trouble with the connection, but is the address, the certificate or the protocol
        "ssl.SSLCertVerificationError",
        "httpx.LocalProtocolError",
        "httpx.UnsupportedProtocol",
        "urllib3.exceptions.LocationValueError",
        "google.api_core.exceptions.MethodNotImplemented",
    ),
)
"""By qualified name of an exception class, for it and what derives from it; what is not listed says nothing."""
