class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the text says what would help."""


class ProgramsNotFoundError(EmbeddedPostgresError):
    """No folder holds PostgreSQL's programs in a version that can be used."""


class ClusterRefusedError(EmbeddedPostgresError):
    """The database folder is not one that these programs, or this user, may run."""


class StartFailedError(EmbeddedPostgresError):
    """PostgreSQL did not become ready; the text ends with the last lines of its log."""


class StartCancelledError(EmbeddedPostgresError):
    """The start was given up because the caller asked for it."""
