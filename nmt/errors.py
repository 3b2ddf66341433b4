"""The two kinds of fault that a command reports in one to three lines instead of a traceback."""


class UserError(ValueError):
    """What the user can mend in the command, the recipe or the data: exit status 2.

    The message says what, where (file:line or key) and what to do, in at most three lines.
    """


class RunError(RuntimeError):
    """What failed while running and is not the input's fault, such as a full disk: exit status 1."""
