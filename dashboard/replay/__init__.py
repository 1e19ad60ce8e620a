"""The past replayed: what was known on a day, which days matter, how long a flag stood."""

from dashboard.replay.assess import Assessment, Replay, assess
from dashboard.replay.known import History, as_known

__all__ = ["Assessment", "History", "Replay", "as_known", "assess"]
