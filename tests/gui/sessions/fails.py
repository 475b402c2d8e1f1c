"""A session that waits for something that never happens."""

import session as rig


def session() -> rig.Steps:
    rig.check("this holds", True)
    yield from rig.until("what never comes", lambda: False, 0.5)
