"""The report of a run, as Markdown and as JSON."""

import datetime
import json
import time
import traceback
from pathlib import Path

from account import OnlyInAccount


class Report:
    """Collects what was done; `path` gets the ending `.md` and `.json`, or is None."""

    def __init__(self, title, path, is_sandbox):
        self.title, self.path, self.is_sandbox = title, path, is_sandbox
        self.began = datetime.datetime.now(datetime.timezone.utc)
        self.checks, self.answers = [], []

    def check(self, name, step):
        """Runs a step that must succeed; returns what it returned, or None."""
        began = time.monotonic()
        print(f"...     {name}", flush=True)
        try:
            found, passed = step(), True
        except Exception as failure:
            traceback.print_exc()
            found, passed = f"{type(failure).__name__}: {failure}", False
        seconds = round(time.monotonic() - began)
        text = found if isinstance(found, str) else "done"
        self.checks.append({"name": name, "passed": passed, "found": text, "seconds": seconds})
        print(f"{'ok' if passed else 'FAILED':7} {name} ({seconds} s): {text}", flush=True)
        return found if passed else None

    def question(self, step):
        """Records the answer to a question. Every answer is right; a run without one fails."""
        question = step.__doc__.strip().splitlines()[0]
        answered = True
        try:
            answer = step()
            if self.is_sandbox and not getattr(step, "is_documented", False):
                answer = f"only an account settles it; the emulator assumes: {answer}"
        except OnlyInAccount as lacks:
            answer = f"only an account settles it: {lacks}"
        except Exception as failure:
            traceback.print_exc()
            answered, answer = False, f"not answered: {type(failure).__name__}: {failure}"
        self.answers.append({"name": step.__name__, "question": question, "answered": answered,
                             "answer": answer})
        print(f"{'answer' if answered else 'FAILED':7} {question} {answer}", flush=True)

    def passed(self):
        return (bool(self.checks) and all(it["passed"] for it in self.checks)
                and all(it["answered"] for it in self.answers))

    def write(self):
        if not self.path:
            return
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_text(json.dumps(
            {"title": self.title, "began": self.began.isoformat(timespec="seconds"),
             "passed": self.passed(), "checks": self.checks, "answers": self.answers}, indent=2))
        path.with_suffix(".md").write_text(self.markdown())

    def markdown(self):
        lines = [f"# {self.title}", "", f"Began {self.began:%Y-%m-%d %H:%M} UTC; "
                 f"{'passed' if self.passed() else 'FAILED'}.", "",
                 "| check | result | seconds | found |", "| --- | --- | --- | --- |"]
        lines += [f"| {it['name']} | {'passed' if it['passed'] else 'FAILED'} | {it['seconds']} | "
                  f"{cell(it['found'])} |" for it in self.checks]
        lines += ["", "| question | answer |", "| --- | --- |"]
        lines += [f"| {it['question']} | {cell(it['answer'])} |" for it in self.answers]
        return "\n".join(lines) + "\n"


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")
