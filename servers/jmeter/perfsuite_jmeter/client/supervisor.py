"""Watches one run of JMeter, from before Java starts until after it ended. Nobody else may be left alive for that.

Run as `python supervisor.py RUN/jmeter/run-spec.json`, in a session of its own. What it knows stands in state.json.
It imports the standard library alone, so that it stays small and goes on while perfsuite is being updated.
"""

import fcntl
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

POLL_S, HEALTH_EVERY_S = 0.2, 2.0
LOCK_TRIES = 10
LONGEST_LOAD_S = 120.0
LAST_SAVE_TRIES = 150
LARGEST_READ = 256 * 1024
LONGEST_LINE = 500

PROC = Path("/proc")
LADDER = (("Shutdown", "shutdown_s"), ("StopTestNow", "stop_now_s"), ("TERM", "term_s"))
SIGNALS = {"TERM": signal.SIGTERM, "KILL": signal.SIGKILL}
HEALTH_HEADER = "timestamp_utc,java_cpu_pct,machine_cpu_pct,rss_mb,threads,load1,gc_pct,heap_used_mb\n"

TORN = "The results end in the middle of a row: the disk is full, or a limit of the size of files is reached."
STARTED = re.compile(rb"Starting (?:standalone|distributed) test .*\((\d{10,16})\)\s*$")
FAULT = re.compile(
    rb"An error occurred: |Error in NonGUIDriver |Incorrect Usage|Error: |Error occurred during |Could not |could not "
    rb"|Failed to |Unrecognized |Exception |\s*[\w.$]+(?:Exception|Error): "
)
COUNTER = re.compile(
    rb"sun\.(?:(os\.hrt\.frequency)|(gc\.collector\.\d+\.time)|(gc\.generation\.\d+\.space\.\d+\.used))\0"
)
LOG_ERRORS = re.compile(rb"^\S+ \S+ ((?:ERROR|FATAL) .{1,500})", re.MULTILINE)

State = dict[str, Any]


def start_time(pid: int, proc: Path = PROC) -> str | None:
    """When this process started, in words that no other process of the same number has; None when it has ended."""
    if not (proc / "self" / "stat").exists():
        return _start_time_by_ps(pid)
    try:
        fields = _stat_fields(pid, proc)
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _stat_fields(pid: int, proc: Path = PROC) -> list[str]:
    # What follows the name, which stands in brackets and may hold blanks and brackets itself.
    return (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _start_time_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    english = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    said = subprocess.run(command, env=english, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    status, *started = said.stdout.split() or ["Z"]
    return None if status[0] in "ZX" else " ".join(started)


def boot_id() -> str:
    """What tells this boot of the machine from others, or nothing where the system does not say."""
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def rung_at(elapsed_s: float, graces: dict[str, float]) -> str:
    """How far the ladder is walked so long after the first rung."""
    for rung, grace in LADDER:
        elapsed_s -= graces[grace]
        if elapsed_s < 0:
            return rung
    return "KILL"


def send(rung: str, port: int, group: int) -> None:
    """Do what a rung means. JMeter knows the bare words: a line break after one would make it another."""
    with suppress(OSError):
        if rung in SIGNALS:
            os.killpg(group, SIGNALS[rung])
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(rung.encode("ascii"), ("127.0.0.1", port))


def ends_torn(path: Path) -> bool:
    """Whether a file ends in the middle of a line."""
    with suppress(OSError), path.open("rb") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    return False


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now() -> str:
    return _utc(datetime.now(UTC))


def _handle(pid: int) -> State:
    return {"pid": pid, "start_time": start_time(pid)}


class Health:
    """What the run costs this machine. A figure that the system does not give stays empty."""

    def __init__(self, path: Path, pid: int) -> None:
        self.path, self.pid = path, pid
        self.now = self._figures()
        path.write_text(HEALTH_HEADER, encoding="utf-8")

    def note(self) -> None:
        """Add a row about the time since the one before. Raises OSError when the disk does not take it."""
        before, self.now = self.now, self._figures()

        def share(part: str, whole: str) -> float | None:
            known = {part, whole} <= before.keys() & self.now.keys() and self.now[whole] > before[whole]
            return 100 * (self.now[part] - before[part]) / (self.now[whole] - before[whole]) if known else None

        cpu = (share("java_s", "core_s"), share("busy", "ticks"))
        figures = (
            *cpu,
            *map(self.now.get, ("rss_mb", "threads", "load1")),
            share("gc_s", "s"),
            self.now.get("heap_mb"),
        )
        with self.path.open("a", encoding="utf-8") as file:
            file.write(",".join([_now(), *("" if one is None else f"{one:.6g}" for one in figures)]) + "\n")

    def _figures(self) -> dict[str, float]:
        now = time.monotonic()
        found = {"s": now, "core_s": now * (os.cpu_count() or 1), "load1": os.getloadavg()[0]}
        with suppress(OSError):
            fields = _stat_fields(self.pid)
            found["java_s"] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            found |= {"threads": int(fields[17]), "rss_mb": int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6}
            ticks = [int(one) for one in (PROC / "stat").read_text(encoding="ascii").partition("\n")[0].split()[1:9]]
            found |= {"busy": sum(ticks) - ticks[3] - ticks[4], "ticks": sum(ticks)}
        for path in Path("/tmp").glob(f"hsperfdata_*/{self.pid}"):  # noqa: S108 - where HotSpot always puts it
            with suppress(OSError, struct.error, ZeroDivisionError):
                if path.stat().st_uid == os.getuid():
                    found |= _collections(path.read_bytes())
        return found


def _collections(perf_data: bytes) -> dict[str, float]:
    """Time spent in garbage collections, and heap in use, from the file that jstat reads, too.

    A name follows 20 bytes, the last four of which say how far after their beginning its value is.
    """
    sums = [0, 0, 0]
    for found in COUNTER.finditer(perf_data):
        entry = found.start() - 20
        (offset,) = struct.unpack_from("=i", perf_data, entry + 16)
        sums[(found.lastindex or 1) - 1] += struct.unpack_from("=q", perf_data, entry + offset)[0]
    frequency, ticks, used = sums
    return {"gc_s": ticks / frequency, "heap_mb": used / 1e6}


class Supervisor:
    """One run: its process, its state, and the way to end it."""

    def __init__(self, spec_file: Path, lock: int) -> None:
        self.folder = spec_file.parent
        self.spec: State = json.loads(spec_file.read_bytes())
        self.lock = lock
        self.java: subprocess.Popen[bytes] | None = None
        self.console_read, self.rest, self.results_size = 0, b"", -1
        self.faults: list[str] = []
        self.is_ready = self.is_signalled = False
        self.sent: str | None = None
        self.stop_began = self.health_at = time.monotonic()
        self.began = time.monotonic() + LONGEST_LOAD_S
        self.state: State = dict.fromkeys(("java", "test_started_at", "ended_at", "exit_code", "stop", "failure"))
        self.state.update(schema_version="1.0", attempt=self.spec["attempt"], phase="starting", started_at=_now())
        self.state.update(udp_port=self.spec["udp_port"], port_taken=False, end_of_run=False)
        self.state.update(host=socket.gethostname(), boot_id=boot_id(), supervisor=_handle(os.getpid()))
        self.saved: State = {}

    def file(self, key: str) -> Path:
        return self.folder.parent / str(self.spec[key])

    def run(self) -> None:
        """From here to the end of Java, and a last note."""
        try:
            self._decide()
            if not self.state["stop"]:
                self._start()
        except OSError as error:
            self._fail(f"JMeter cannot be started: {error.filename or self.folder}: {error.strerror}.")
        while self.java is not None and self.java.poll() is None:
            try:
                self._look()
            except OSError as error:
                self._fail(f"{error.filename or self.folder}: {error.strerror}.")
            time.sleep(POLL_S)
        self._conclude()

    def _start(self) -> None:
        self._save()
        console = os.open(self.file("console"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(console, 1)
        os.dup2(console, 2)
        self.java = subprocess.Popen(  # noqa: S603 - the arguments are a list, and no shell reads them
            self.spec["command"], cwd=self.spec["cwd"], stdin=subprocess.DEVNULL, preexec_fn=self._become_java
        )
        self.state["java"] = _handle(self.java.pid)
        self.health = Health(self.file("health"), self.java.pid)

    def _become_java(self) -> None:
        """In the process that becomes Java: it is known before it does anything, even if this one is killed now."""
        os.setpgid(0, 0)
        self.state["java"] = _handle(os.getpid())
        self._save()

    def _look(self) -> None:
        self._read_console()
        self._decide()
        self._walk()
        if time.monotonic() >= self.health_at + HEALTH_EVERY_S:
            self.health_at = time.monotonic()
            self._check_disk()
        self._save()

    def _read_console(self) -> bool:
        """Take in what was printed since the last time, and say whether there was anything."""
        with self.file("console").open("rb") as file:
            file.seek(self.console_read)
            new = file.read(LARGEST_READ)
        self.console_read += len(new)
        *lines, rest = (self.rest + new).split(b"\n")
        self.rest = rest[:LONGEST_LINE]
        for line in lines:
            self._understand(line[:LONGEST_LINE])
        return bool(new)

    def _understand(self, line: bytes) -> None:
        if line.startswith(b"Created the tree successfully"):
            self._check_plan()
        elif found := STARTED.match(line):
            self.began = time.monotonic()
            self.state["test_started_at"] = _utc(datetime.fromtimestamp(int(found[1]) / 1000, UTC))
        elif line.startswith(b"Waiting for possible Shutdown"):
            self.is_ready = True
            self._remove_secrets()
            self.state["phase"] = "stopping" if self.state["stop"] else "running"
        elif line.startswith(b"Failed to create UDP port"):
            self.state["port_taken"] = True
            self._fail(f"The UDP port {self.spec['udp_port']} is taken.")
        elif line.startswith(b"... end of run"):
            self.state["end_of_run"] = True
        elif FAULT.match(line):
            # Before the test the first faults are the cause of the others; later, the last ones end it.
            faults = [*self.faults, line.decode("utf-8", "replace").strip()]
            self.faults = faults[-3:] if self.is_ready else faults[:3]

    def _check_plan(self) -> None:
        with Path(self.spec["plan"]).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.spec["plan_sha256"]:
                self._fail("The plan was changed while JMeter started, after it had been checked.")

    def _check_disk(self) -> None:
        """JMeter does not notice when its results cannot be written; it would apply load for nothing."""
        with suppress(FileNotFoundError):
            size = self.file("results").stat().st_size
            if size == self.results_size and ends_torn(self.file("results")):
                self._fail(TORN)
            self.results_size = size
        self.health.note()

    def _fail(self, why: str) -> None:
        if self.state["failure"] is None:
            self.state["failure"] = why
        self._stop("supervisor")

    def _decide(self) -> None:
        """Whether it is time to end the test."""
        limit = self.spec["duration_limit_s"]
        if self.is_signalled:
            self._stop("signal")
        elif (self.folder / "stop-request.json").exists():
            self._stop("user")
        elif limit is not None and time.monotonic() >= self.began + limit:
            self._stop("duration")

    def _stop(self, by: str) -> None:
        if self.state["stop"]:
            return
        self.state.update(phase="stopping", stop={"asked_at": _now(), "by": by, "reached": LADDER[0][0]})
        self.stop_began = time.monotonic()
        # Nobody listens yet. Of remote engines that have begun, only JMeter itself can take leave.
        if not self.is_ready and not self.spec["remote_hosts"]:
            self.stop_began -= self.spec["graces"]["shutdown_s"] + self.spec["graces"]["stop_now_s"]

    def _walk(self) -> None:
        if not self.state["stop"]:
            return
        rung = rung_at(time.monotonic() - self.stop_began, self.spec["graces"])
        self.state["stop"]["reached"] = rung
        if rung != self.sent and (self.is_ready or rung in SIGNALS):
            self.sent = rung
            send(rung, self.spec["udp_port"], self.state["java"]["pid"])

    def _conclude(self) -> None:
        if self.java is not None:
            with suppress(OSError):
                while self._read_console():
                    pass
            self.state["exit_code"] = self.java.returncode
        self._remove_secrets()
        if self.state["failure"] is None and not self.state["stop"]:
            self.state["failure"] = self._cause()
        self.state.update(phase="ended", ended_at=_now())
        for _ in range(LAST_SAVE_TRIES):
            if self._save():
                break
            # On a full disk, this is the room that was kept for it: nobody is left who could take it.
            os.ftruncate(self.lock, 0)
            time.sleep(POLL_S)

    def _cause(self) -> str | None:
        """What JMeter said about why it did not go well, if it did not."""
        code = self.state["exit_code"]
        if code == 0 and self.state["end_of_run"]:
            return TORN if ends_torn(self.file("results")) else None
        return None if code < 0 else " ".join(self.faults) or self._last_error()

    def _last_error(self) -> str | None:
        with suppress(OSError, IndexError), self.file("log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LARGEST_READ))
            last = LOG_ERRORS.findall(file.read(LARGEST_READ))[-1]
            return str(last, "utf-8", "replace").strip()
        return None

    def _remove_secrets(self) -> None:
        if self.spec["secrets_file"]:
            self.file("secrets_file").unlink(missing_ok=True)

    def _save(self) -> bool:
        """Write the state if it changed, and say whether it is written."""
        if self.state == self.saved:
            return True
        text = json.dumps(self.state, indent=2, sort_keys=True) + "\n"
        new = self.folder / ".state.json.new"
        with suppress(OSError):
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.folder / "state.json")
            self.saved = json.loads(text)
        return self.state == self.saved


def _locked(path: Path) -> int | None:
    """The lock of the run, held until this process ends; None when another supervisor has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    # Whoever asks if the lock is held, holds it for a moment.
    for _ in range(LOCK_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(OSError):
                os.write(lock, bytes(8192))
            return lock
        time.sleep(POLL_S)
    return None


def main() -> None:
    """Watch the run, whatever becomes of whoever started this."""
    spec_file = Path(sys.argv[1]).resolve()
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if (lock := _locked(spec_file.parent / "supervisor.lock")) is None:
        return
    supervisor = Supervisor(spec_file, lock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(supervisor, "is_signalled", True))
    supervisor.run()


if __name__ == "__main__":
    main()
