"""`biaogan worker` whose children misbehave (poisoned_analyst.py): jobs, then signs of life and silence in seconds."""

from __future__ import annotations

import sys
from pathlib import Path

from service import logs, settings
from service.jobs import upkeep, worker
from service.operate.worker import setting

if __name__ == "__main__":
    logs.begin()
    upkeep.HEARTBEAT, upkeep.SILENCE = float(sys.argv[2]), float(sys.argv[3])
    worker.GRACE = 5.0
    upkeep.mend.__kwdefaults__["silence"] = upkeep.SILENCE
    program = (str(Path(__file__).with_name("poisoned_analyst.py")),)
    worker.run(setting(settings.read()), jobs=int(sys.argv[1]), program=program)
