"""Stands in for Java with JMeter: says what JMeter says, and behaves as the properties want.

mode: run, mute (never gets ready), over (ends without saying that it is ready), die, port_taken,
      torn (results stop in the middle of a row)
obeys: Shutdown, StopTestNow, TERM or KILL
"""

import re
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

HEADER = "timeStamp,elapsed,label,responseCode,success\n"


def option(flag: str) -> str:
    return sys.argv[sys.argv.index(flag) + 1]


def given() -> dict[str, str]:
    found = dict(one[2:].split("=", 1) for one in sys.argv if one.startswith("-J"))
    for at, one in enumerate(sys.argv):
        if one == "-q":
            lines = Path(sys.argv[at + 1]).read_text(encoding="ascii").splitlines()
            found |= dict(unescaped(line).split("=", 1) for line in lines)
    return found


def unescaped(line: str) -> str:
    text = re.sub(r"\\(?:u([0-9a-f]{4})|(.))", lambda one: chr(int(one[1], 16)) if one[1] else one[2], line)
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tries(notes: Path, port: str) -> str:
    """The first port that is tried is taken, the next one is not."""
    before = notes.exists()
    with notes.open("a", encoding="utf-8") as file:
        file.write(f"{port}\n")
    return "run" if before else "port_taken"


def listener(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", port))
    found.settimeout(0.02)
    return found


def main() -> None:
    properties = given()
    mode, obeys = properties.get("mode", "run"), properties.get("obeys", "Shutdown")
    if "seen" in properties:
        Path(properties["seen"]).write_text(properties.get("token", ""), encoding="utf-8", newline="")
    if "tried" in properties:
        mode = tries(Path(properties["tried"]), properties["jmeterengine.nongui.port"])
    signal.signal(signal.SIGTERM, signal.SIG_IGN if obeys == "KILL" else lambda *_: sys.exit(143))
    if mode == "die":
        for line in properties.get("says", "").split("|"):
            say(line)
        if text := properties.get("logs"):
            Path(option("-j")).write_text(text.replace("|", "\n"), encoding="utf-8")
        sys.exit(int(properties.get("code", "1")))
    if mode == "mute":
        time.sleep(60)
    say(f"Created the tree successfully using {option('-t')}")
    if "started" not in properties.get("omits", ""):
        say(f"Starting standalone test @ 2026 Nov 21 03:59:10 UTC ({properties.get('epoch', '1795233550255')})")
    with Path(option("-l")).open("w", encoding="utf-8") as results:
        results.write(HEADER)
        if mode == "torn":
            results.write("1,2,thr")
            results.flush()
        run(properties, mode, obeys, results)
    say("Tidying up ...    @ 2026 Nov 21 03:59:24 UTC (1795233564313)")
    say("... end of run")


def run(properties: dict[str, str], mode: str, obeys: str, results: object) -> None:
    port = int(properties["jmeterengine.nongui.port"])
    if mode == "port_taken":
        say("Failed to create UDP port")
    elif mode != "over":
        say(f"Waiting for possible Shutdown/... on port {port}")
    until = time.monotonic() + float(properties.get("seconds", "30"))
    with listener(port) as commands:
        while time.monotonic() < until:
            with suppress(TimeoutError):
                word = commands.recv(100).decode()
                say(f"Command: {word!r} received")
                if word == obeys:
                    return
            if mode == "run":
                results.write("1795233550255,5,home,200,true\n")  # type: ignore[attr-defined]
                results.flush()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
