"""A session that waits in vain."""

import session as rig


def session() -> rig.Steps:
    rig.check("this holds", True)
    yield from rig.until("what never comes", lambda: False, 0.5)
