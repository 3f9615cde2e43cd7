"""Who may reach the server."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

from tf_finetune.errors import UserError

TOKEN_VARIABLE = "TF_FINETUNE_TOKEN"
_LEAST_CHARACTERS = 16


def read_token(file: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The bearer token from a file or from the environment; command lines are seen by others.

    Args:
        file: A file that holds it and nothing else.
        environment: Where `TF_FINETUNE_TOKEN` may be.

    Raises:
        UserError: The file cannot be read, or the token is too short or no visible ASCII.
    """
    if file is not None:
        try:
            token = Path(file).expanduser().read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise UserError(f"--token-file: {file} cannot be read: {error}") from None
        where = f"--token-file: {file}"
    else:
        token, where = environment.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE
        if not token:
            return None
    if len(token) < _LEAST_CHARACTERS or not all("!" <= character <= "~" for character in token):
        raise UserError(
            f"{where}: accepted: at least {_LEAST_CHARACTERS} visible ASCII characters, no spaces",
            hint="Such as: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return token


def check_binding(host: str, token: str | None) -> None:
    """Refuses to be reached from elsewhere by whoever likes.

    Raises:
        UserError: The host is not this machine alone, and there is no token.
    """
    if token is None and not _is_loopback(host):
        raise UserError(
            f"--host: {host!r} can be reached from other machines, and there is no token",
            hint=f"Set {TOKEN_VARIABLE} or --token-file, or bind 127.0.0.1.",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name; where it leads, the resolver decides anew each time
        return False
