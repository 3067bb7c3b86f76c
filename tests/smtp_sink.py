"""A mail server that keeps what it is handed: each mail as one line of JSON in FOLDER/mails. While FOLDER/refuse is there, it answers with the
text in it ("451 4.3.0 try again later") instead, and notes the attempt as refused. Prints its port once it listens.

python3 tests/smtp_sink.py FOLDER [PORT]
"""

import asyncio
import email
import email.policy
import json
import pathlib
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])
port = int(sys.argv[2]) if len(sys.argv) > 2 else 0


class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        refuse = folder / "refuse"
        refusal = refuse.read_text() if refuse.exists() else None
        line = {
            "refused": refusal is not None,
            "envelope_from": envelope.mail_from,
            "envelope_to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": mail.get_content(),
            "raw": envelope.content.decode("ascii", "replace"),
        }
        with open(folder / "mails", "a", encoding="utf-8") as mails:
            mails.write(json.dumps(line) + "\n")
        return refusal or "250 2.0.0 kept"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), hostname="sink.example"), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
