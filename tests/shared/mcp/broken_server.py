"""A server module that fails while it is imported."""

from perfsuite.settings import remember_secret

remember_secret("canary-7c1f-do-not-print")
raise RuntimeError("the module is broken, canary-7c1f-do-not-print")
