"""Names of files and folders that callers choose."""

from pathlib import PurePosixPath

MAX_NAME_LENGTH = 128
"""Characters of a name; what is longer is cut (READINGS Q70)."""
MAX_EXTENSION_LENGTH = 20
"""Characters of an extension, with its dot; a longer one is part of the name."""
FIRST_PRINTABLE = " "
DELETE_CHARACTER = "\x7f"


def is_file_name(name: str) -> bool:
    """Tell whether a name has no control characters and no slashes."""
    return not any(
        sign in "/\\" or sign < FIRST_PRINTABLE or sign == DELETE_CHARACTER for sign in name
    )


def split_name(name: str) -> tuple[str, str]:
    """Return a file name without its extension, and the extension with its dot."""
    extension = PurePosixPath(name).suffix
    if len(extension) > MAX_EXTENSION_LENGTH:
        extension = ""
    return name.removesuffix(extension), extension


def cut_name(name: str, numbered: str = "") -> str:
    """Return a file name that is not too long, with a number before its extension."""
    stem, extension = split_name(name)
    return stem[: MAX_NAME_LENGTH - len(numbered) - len(extension)] + numbered + extension
