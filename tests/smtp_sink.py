"""A mail server that keeps what it is handed: each mail as one line of JSON in FOLDER/mails. While FOLDER/refuse is there, it answers with the
text in it ("451 4.3.0 try again later") instead, and notes the attempt as refused. Prints its port once it listens.

python3 tests/smtp_sink.py FOLDER [PORT [KIND]]

`plain` speaks in clear, `starttls` demands TLS first, under the certificate that it makes in FOLDER/cert.pem, and `bare` offers no TLS, takes
all it is told in clear and keeps every line of it in FOLDER/heard, with END where the connection ends.
"""

import asyncio
import email
import email.policy
import hashlib
import json
import pathlib
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder = pathlib.Path(sys.argv[1])
port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
kind = sys.argv[3] if len(sys.argv) > 3 else "plain"


def attachment(part):
    content = part.get_content()
    return {"name": part.get_filename(), "type": part.get_content_type(), "sha256": hashlib.sha256(content).hexdigest()}


class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        refuse = folder / "refuse"
        refusal = refuse.read_text() if refuse.exists() else None
        line = {
            "refused": refusal is not None,
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "envelope_from": envelope.mail_from,
            "envelope_to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": mail.get_body(("plain",)).get_content(),
            "attachments": [attachment(part) for part in mail.iter_attachments()],
            "raw": envelope.content.decode("ascii", "replace"),
        }
        with open(folder / "mails", "a", encoding="utf-8") as mails:
            mails.write(json.dumps(line) + "\n")
        return refusal or "250 2.0.0 kept"


def certificate():
    """A context with a new certificate for this machine, which nobody has signed."""
    config, key, made = folder / "cert.cnf", folder / "key.pem", folder / "cert.pem"
    config.write_text(
        "[req]\nprompt = no\ndistinguished_name = who\nx509_extensions = more\n[who]\nCN = sink.example\n"
        "[more]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n"
    )
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-config", config, "-keyout", key, "-out", made],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return context


def session():
    if kind != "starttls":
        return SMTP(Keep(), hostname="sink.example")
    anybody = lambda server, session, envelope, mechanism, data: AuthResult(success=True, auth_data=data)
    return SMTP(Keep(), hostname="sink.example", tls_context=context, require_starttls=True, authenticator=anybody)


async def bare(reader, writer):
    def hear(line):
        with open(folder / "heard", "a", encoding="utf-8") as heard:
            heard.write(line.rstrip() + "\n")

    answers = {"EHLO": "250-sink.example\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 2.7.0 welcome", "DATA": "354 go on", "QUIT": "221 2.0.0 bye"}
    writer.write(b"220 sink.example\r\n")
    in_data = False
    while line := (await reader.readline()).decode("utf-8", "replace"):
        hear(line)
        if in_data and line.rstrip() != ".":
            continue
        in_data = line.upper().startswith("DATA")
        writer.write((answers.get(line[:4].upper(), "250 2.0.0 fine") + "\r\n").encode())
    hear("END")
    writer.close()


context = certificate() if kind == "starttls" else None


async def main():
    loop = asyncio.get_running_loop()
    if kind == "bare":
        server = await asyncio.start_server(bare, "127.0.0.1", port)
    else:
        server = await loop.create_server(session, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
