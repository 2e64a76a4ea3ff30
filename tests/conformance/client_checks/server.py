"""The sandbox as a server."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SPEED = 120


class Server:
    """The sandbox, on a free port."""

    def __init__(self, *arguments):
        binary = os.environ.get("SANDBOX_BIN")
        command = [binary] if binary else ["cargo", "run", "--quiet", "--package", "sandbox", "--"]
        command += ["serve", "--port", "0", "--speed", str(SPEED), *arguments]
        self.log = open(os.environ.get("SANDBOX_LOG", os.devnull), "w+")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        if not found:
            raise SystemExit(f"the sandbox did not start: {first!r}")
        self.url = found.group(0)
        self.lines = []

    def environment(self):
        own = {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "any",
               "AWS_SECRET_ACCESS_KEY": "any", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")}, **own}

    def stop(self):
        """Stops the sandbox as Ctrl-C does; returns its console's output."""
        self.process.send_signal(2)
        console = self.process.communicate(timeout=30)[0]
        return self.process.returncode, console


SERVER = None


def start():
    global SERVER
    SERVER = Server()
    return SERVER
