"""Mail by SMTP, with the standard library: one message, with a deadline (READINGS Q91)."""

import smtplib
import ssl
from email.message import EmailMessage
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from homeroom.base.values import Value

SMTP_SECONDS: Final = 10.0
"""Longest time for each step of a delivery."""
SMTP_PORT: Final = 587
SMTPS_PORT: Final = 465


class Mail(Value, frozen=True):
    """A mail."""

    to: tuple[str, ...]
    subject: str
    text: str


class Mailer:
    """Sends mails by the server that `smtp_url` names."""

    def __init__(self, url: str) -> None:
        """Take an address such as `smtp://user:password@mail.example.org:587?from=a@example.org`."""
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (SMTPS_PORT if self._is_tls else SMTP_PORT)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        default = self._user if "@" in self._user else f"homeroom@{self._host}"
        self._sender = parse_qs(parts.query).get("from", [default])[0]

    def send(self, mail: Mail) -> None:
        """Send a mail; raises `OSError` or `smtplib.SMTPException`. It blocks: call it in a thread.

        A password is sent over TLS alone.
        """
        message = EmailMessage()
        message["From"], message["To"] = self._sender, ", ".join(mail.to)
        message["Subject"] = mail.subject
        message.set_content(mail.text)
        with self._connect() as server:
            if self._user:
                server.login(self._user, self._password)
            server.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._is_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=SMTP_SECONDS, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=SMTP_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        elif self._user:
            server.close()
            raise smtplib.SMTPNotSupportedError("the mail server offers no TLS for the password")
        return server
