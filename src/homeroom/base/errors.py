"""The exceptions of Homeroom: one family, so that a caller can catch all of them by one name."""

from typing import ClassVar


class HomeroomError(Exception):
    """Base class of every exception that Homeroom itself raises.

    Each package defines its own exceptions. The most important ones::

        HomeroomError
        ├── SettingsError    a setting has no valid value
        ├── StartupError     the server cannot start
        ├── WideModeError    a file is open to other users of the machine and cannot be narrowed
        ├── OperatorError    a command is refused
        ├── StoreError       the database could not run a unit of work
        │   └── UnavailableError  it cannot now, for a known cause (also an OverloadedError)
        ├── ParamError       a parameter of a request is missing or malformed
        ├── Refusal          a rule of the contract refuses a request of the partner API
        ├── OverloadedError  the server cannot answer now, or a limit is reached: try again later
        └── HTTPError        any other HTTP request is answered with an error (RFC 9457)

    Exceptions that one package both raises and catches are not drawn. All names end in `Error`,
    except `Refusal`: a refusal is an expected answer.
    """

    is_defect: ClassVar[bool] = True
    """Whether the log shows where it was raised: it may be a defect of this program."""
